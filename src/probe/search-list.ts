/** What resolv.conf(5) says of names that are not whole. */
export interface SearchList {
  readonly search: readonly string[];
  /** A name with as many dots is asked for as it is first. */
  readonly ndots: number;
}

/** The names that are asked for in place of one, in their order, as glibc does it; one that ends in a dot is whole. */
export function namesToAsk(name: string, { search, ndots }: SearchList): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const domains = search.slice(0, MOST_DOMAINS).map((domain) => domain.replace(/\.$/, ''));
  const longer = domains.map((domain) => (domain === '' ? name : `${name}.${domain}`));
  const dots = name.split('.').length - 1;
  return [...new Set(dots >= ndots ? [name, ...longer] : [...longer, name])];
}

/** As a file has it: of `search` and `domain` the last line counts, and `options` add up. */
export function searchListOf(text: string): SearchList {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const last = lines.findLast(
    ([keyword, first]) => /^(search|domain)$/.test(keyword ?? '') && first !== undefined,
  );
  const options = lines.flatMap(([keyword, ...words]) => (keyword === 'options' ? words : []));
  return {
    search: last?.[0] === 'domain' ? last.slice(1, 2) : (last?.slice(1) ?? []),
    ndots: ndotsOf(options),
  };
}

/** resolv.h: RES_MAXNDOTS */
export function ndotsOf(options: readonly string[]): number {
  const said = options.findLast((option) => /^ndots:\d+$/.test(option));
  return said === undefined ? 1 : Math.min(15, Number(said.slice('ndots:'.length)));
}

/** As many as a pod may have. */
const MOST_DOMAINS = 32;
