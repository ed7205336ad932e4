import type { Notice, PageLife, PageOperation, PageSpan } from './page-data.ts';

/** What failed and what was found, the newest operation first, and in it in the order in which it happened. */
export function noticesOf(lives: readonly PageLife[]): Notice[] {
  return newestFirst(lives).flatMap(({ life, operation }) =>
    (operation.children ?? []).flatMap((call) => ofCall(call, `${operation.name} ${life.name}`)),
  );
}

/**
 * The span that a reader wants to see first: the newest call that failed. After an ADD that failed, the runtime's DEL may
 * fail for the same reason, so that is passed over for the ADD.
 */
export function opensOn(lives: readonly PageLife[]): string {
  const operations = newestFirst(lives);
  const failed = operations.filter(({ operation }) => operation.error !== undefined || operation.isOpen);
  const [newest] = failed;
  const cause =
    newest?.operation.name === 'DEL'
      ? (failed.find(({ life, operation }) => life === newest.life && operation.name !== 'DEL') ?? newest)
      : newest;
  const operation = (cause ?? operations[0])?.operation;
  const call = operation?.children?.find(({ error, isOpen }) => error !== undefined || isOpen);
  return (call ?? operation?.children?.[0] ?? operation)?.id ?? '';
}

function newestFirst(lives: readonly PageLife[]): { life: PageLife; operation: PageOperation }[] {
  const all = lives.flatMap((life) => life.operations.map((operation) => ({ life, operation })));
  return all.sort((one, other) => other.operation.begunAt - one.operation.begunAt);
}

function ofCall(call: PageSpan, whose: string): Notice[] {
  const { id, name, error, isFault, isOpen, findings = [], children = [] } = call;
  const where = `${whose}: ${name}`;
  return [
    ...(isFault && error !== undefined ? [{ kind: 'error' as const, span: id, where, text: error }] : []),
    ...(isOpen ? [{ kind: 'unended' as const, span: id, where, text: 'there is no record of its end' }] : []),
    ...findings.map((text) => ({ kind: 'finding' as const, span: id, where, text })),
    // A plugin whose failure is that of the call has been told of; a hook never fails the call.
    ...children.flatMap((child) =>
      child.kind === 'hook' && child.error !== undefined
        ? [
            {
              kind: 'finding' as const,
              span: child.id,
              where: `${where}, ${child.name}`,
              text: child.error,
            },
          ]
        : [],
    ),
  ];
}
