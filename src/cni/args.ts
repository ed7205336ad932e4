/** CNI_ARGS: `KEY=VALUE` pairs with `;` between them, keys in exact case; the last of two equal keys wins. */
export interface Args {
  readonly values: ReadonlyMap<string, string>;
  /** Pieces that are no pair, as they stand. */
  readonly malformed: readonly string[];
}

/** As `types.LoadArgs` splits it; an empty text has no pairs. */
export function parseArgs(text: string): Args {
  const values = new Map<string, string>();
  const malformed: string[] = [];
  for (const pair of text === '' ? [] : text.split(';')) {
    const [key = '', value, ...more] = pair.split('=');
    if (key === '' || value === undefined || more.length > 0) malformed.push(pair);
    else values.set(key, value);
  }
  return { values, malformed };
}

/** What the kubelet's runtimes say of the pod in CNI_ARGS; absent where they do not. */
export interface Pod {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly infraContainerID?: string | undefined;
}

export function podOf({ values }: Args): Pod | undefined {
  const pod = {
    namespace: values.get('K8S_POD_NAMESPACE'),
    name: values.get('K8S_POD_NAME'),
    uid: values.get('K8S_POD_UID'),
    infraContainerID: values.get('K8S_POD_INFRA_CONTAINER_ID'),
  };
  return Object.values(pod).some((value) => value !== undefined) ? pod : undefined;
}
