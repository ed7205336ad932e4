import { element } from './element.ts';
import { type Filter, isFiltering, noFilter } from './filter.ts';
import type { WaterfallZoom } from './waterfall-zoom.ts';

export interface ToolbarActions {
  readonly filter: (filter: Filter) => void;
  readonly save: () => void;
  readonly zoom: WaterfallZoom;
}

/** Filter, zoom, theme, and the records to save. */
export class Toolbar {
  readonly node = element('div', { class: 'toolbar', role: 'toolbar', 'aria-label': 'tools' });
  private readonly search = element('input', {
    ...{
      type: 'search',
      id: 'filter',
      placeholder: 'filter ( / )',
      'aria-label': 'filter spans and operations',
    },
    ...{ autocomplete: 'off', spellcheck: 'false' },
  });
  private readonly plugin = element('select', { id: 'plugin', 'aria-label': 'plugin' });
  private readonly failed = element('input', { type: 'checkbox', id: 'failed' });

  constructor(
    plugins: readonly string[],
    private readonly actions: ToolbarActions,
  ) {
    const { zoom } = actions;
    this.plugin.append(
      element('option', { value: '' }, 'every plugin'),
      ...plugins.map((name) => element('option', { value: name }, name)),
    );
    for (const field of [this.search, this.plugin, this.failed])
      field.addEventListener('input', () => actions.filter(this.filter));
    this.node.append(
      this.search,
      this.plugin,
      element('label', {}, this.failed, ' failed or found only'),
      element(
        'span',
        { class: 'group', role: 'group', 'aria-label': 'zoom' },
        button('−', 'zoom out ( - )', () => zoom.by(2)),
        button('+', 'zoom in ( + )', () => zoom.by(0.5)),
        button('all', 'the whole operation ( 0 )', () => zoom.reset()),
      ),
      element('span', { class: 'space' }),
      button('Save records', 'the records as the journal has them, as a file', actions.save, 'save'),
      button('Light / dark', 'change between light and dark', changeTheme, 'theme'),
    );
  }

  get filter(): Filter {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const filter = { words, plugin: this.plugin.value, onlyFailed: this.failed.checked };
    return isFiltering(filter) ? filter : noFilter;
  }

  focus(): void {
    this.search.focus();
    this.search.select();
  }

  clear(): void {
    this.search.value = '';
    this.plugin.value = '';
    this.failed.checked = false;
    this.actions.filter(noFilter);
  }
}

function button(text: string, title: string, click: () => void, id?: string): HTMLButtonElement {
  return element('button', { type: 'button', title, 'aria-label': title, id, click }, text);
}

/** For this look at the page; else it is as the system is. */
function changeTheme(): void {
  const root = document.documentElement;
  const isDark =
    root.dataset.theme === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : root.dataset.theme === 'dark';
  root.dataset.theme = isDark ? 'light' : 'dark';
}
