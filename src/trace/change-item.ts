import type { Change, Value, Values } from './change.ts';

/** One change in a few words: `+ address 10.22.0.5/16 on eth0`, `sysctl net.ipv4.ip_forward 0 -> 1`. */
export function itemText(change: Change): string {
  const { kind, object, of } = change;
  const sign = { added: '+ ', removed: '- ', changed: '' }[change.change] ?? '';
  if (kind === 'sysctl') return sysctlText(change);
  if (kind === 'nft element') return `${sign}${elementText(change)}`;
  if (kind === 'nft rule') return `${sign}${object}`;
  const place = of === undefined ? '' : kind === 'address' || kind === 'neighbour' ? ` on ${of}` : '';
  const name =
    kind.startsWith('nft ') && of !== undefined
      ? setName(`${kind.slice(4)} ${of} ${object}`)
      : `${kind.replace('nft ', '')} ${object}`;
  if (change.change === 'changed') return `${name}${place} ${transitions(change)}`;
  return `${sign}${name}${place}${facts(kind, change.new ?? change.old ?? {}, change.change)}`;
}

/** `map inet cni_debug hostport4` is `map hostport4`: what CNI plugins have in tables of theirs has names that tell. */
export function setName(place: string): string {
  return place.replace(/^(\w+) \w+ cni\w* /, '$1 ');
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function shownValue(value: Value | undefined): string {
  return value === undefined ? 'none' : `${value}`;
}

function sysctlText({ object, old, new: now, change }: Change): string {
  if (change === 'removed') return `- sysctl ${object}`;
  if (change === 'added') return `sysctl ${object} = ${shownValue(now?.value)}`;
  return `sysctl ${object} ${shownValue(old?.value)} -> ${shownValue(now?.value)}`;
}

/** `tcp . 8080` leads to `10.22.0.5 . 80`: `tcp 8080 -> 10.22.0.5:80` */
function elementText({ object, old, new: now, change }: Change): string {
  const key = object.replaceAll(' . ', ' ');
  if (change === 'changed') return `${key} ${transitions({ old, new: now })}`;
  const { to } = now ?? old ?? {};
  return to === undefined ? key : `${key} -> ${targetText(`${to}`)}`;
}

function targetText(to: string): string {
  const [address = '', port, ...more] = to.split(' . ');
  if (port === undefined || more.length > 0 || !/^\d+$/.test(port)) return to.replaceAll(' . ', ' ');
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function transitions({
  old = {},
  new: now = {},
}: {
  old?: Values | undefined;
  new?: Values | undefined;
}): string {
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return names.map((name) => `${name} ${shownValue(old[name])} -> ${shownValue(now[name])}`).join(', ');
}

/** What a person wants to know of it at first sight. */
function facts(kind: Change['kind'], values: Values, change: Change['change']): string {
  if (kind === 'link') {
    if (change === 'removed') return '';
    const { kind: type, up, master, link, mtu, mode } = values;
    const words = [
      type,
      up === true ? 'up' : 'down',
      master && `port of ${master}`,
      link && `on ${link}`,
      mode,
    ];
    if (mtu !== undefined && mtu !== 1500) words.push(`mtu ${mtu}`);
    return ` (${words.filter(Boolean).join(', ')})`;
  }
  if (kind === 'route') {
    const { type, via, dev, ways, table, metric, src } = values;
    const words = [
      type,
      via && `via ${via}`,
      dev && `dev ${dev}`,
      ways,
      table && `table ${table}`,
      metric && metric !== 1024 && `metric ${metric}`,
      src && `src ${src}`,
    ];
    const text = words.filter(Boolean).join(' ');
    return text === '' ? '' : ` ${text}`;
  }
  if (kind === 'neighbour') return values.mac === undefined ? '' : ` (${values.mac})`;
  return '';
}
