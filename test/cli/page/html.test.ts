import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { escaped, html } from '../../../src/cli/page/html.ts';

test('what is put into a piece of a page is text, unless it is a piece itself', () => {
  const list = [html`<li>${'<b>'}</li>`, html`<li>${2}</li>`];
  expect(html`<ul title="${'"x"'}">${list}</ul>`.text).toBe(
    '<ul title="&quot;x&quot;"><li>&lt;b&gt;</li><li>2</li></ul>',
  );
});

test('no text can end an element or an attribute, and none is lost', () => {
  const read = (text: string) =>
    text.replace(
      /&(amp|lt|gt|quot|#39);/g,
      (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name as 'lt'] ?? "'",
    );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escaped(text)).not.toMatch(/[<>"']/);
      expect(read(escaped(text))).toBe(text);
    }),
  );
});
