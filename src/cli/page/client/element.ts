type Listener = (event: MouseEvent) => void;

type Child = Node | string | undefined;

export interface Attributes {
  readonly class?: string;
  /** Called when it is clicked, or its key is pressed where it is a button. */
  readonly click?: Listener;
  readonly [name: string]: string | number | boolean | undefined | Listener;
}

/** An element with what is in it. Texts become text nodes: no record is ever parsed as HTML. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener('click', value as EventListener);
    else made.setAttribute(key, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/** An arrow, to the right or, where the chain stands upright, downwards: the style turns it. */
export function arrow(): SVGElement {
  const svg = document.createElementNS(svgNamespace, 'svg');
  for (const [key, value] of Object.entries({
    ...{ viewBox: '0 0 28 14', width: '28', height: '14', class: 'arrow', 'aria-hidden': 'true' },
  }))
    svg.setAttribute(key, value);
  const line = document.createElementNS(svgNamespace, 'path');
  line.setAttribute('d', 'M1 7H25M19 1.5L25.5 7L19 12.5');
  svg.append(line);
  return svg;
}

/** An element that the page is known to have. */
export function there(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element "${id}"`);
  return found;
}
