import type { Exchange } from '../path/exchange.ts';
import type { Stop } from '../path/stop.ts';

/** Where question and answer were stopped, in the order in which they would be. */
export function stopsOf({ innerStop, requestStop, answerStop }: Exchange): Stop[] {
  return [requestStop, answerStop, innerStop].filter((stop) => stop !== undefined);
}

/** It came to where it was meant to go: a process of the namespace. */
export const isEnd = ({ cause }: Stop): boolean => cause === 'delivered';
