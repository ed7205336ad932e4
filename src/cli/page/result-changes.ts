import { isObject, type Json, newObject } from '../../cni/json.ts';
import { visible } from '../../trace/visible-text.ts';
import type { Results } from './delegate-results.ts';
import type { ChangeLine } from './page-data.ts';
import { type Difference, differenceOf } from './tree-difference.ts';

const signs = { added: '+', removed: '-', changed: '~', inside: '~' } as const;

/** What a plugin made of a result: `+ interface eth0`, `+ 10.22.0.5/16`, `~ dns`. Nothing where it did not answer one. */
export function resultChanges({ before, after }: Results): ChangeLine[] {
  if (!isObject(after)) return [];
  const difference = differenceOf('', isObject(before) ? before : newObject(), after);
  return difference.parts.flatMap((part) => {
    if (part.mark === 'same' || part.key === 'cniVersion') return [];
    const name = elementNames.get(part.key);
    if (name === undefined) return [{ sign: signs[part.mark], text: visible(part.key) }];
    return elementsOf(part).flatMap(({ mark, old, now }) =>
      mark === 'same' ? [] : [{ sign: signs[mark], text: visible(name(now ?? old ?? null)) }],
    );
  });
}

/** Of a list that was not there before, each element is new. */
function elementsOf({ key, mark, old, now, parts }: Difference): readonly Difference[] {
  if (mark === 'inside') return parts;
  return differenceOf(key, asList(old), asList(now)).parts;
}

function asList(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

const elementNames = new Map<string, (element: Json) => string>([
  ['interfaces', (one) => `interface ${textIn(one, 'name')}`],
  ['ips', (one) => textIn(one, 'address')],
  [
    'routes',
    (one) => {
      const gateway = textIn(one, 'gw');
      return `route ${textIn(one, 'dst')}${gateway === '' ? '' : ` via ${gateway}`}`;
    },
  ],
]);

function textIn(value: Json, key: string): string {
  const text = isObject(value) ? value[key] : undefined;
  return typeof text === 'string' ? text : '';
}
