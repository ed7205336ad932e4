import { expect, test } from 'bun:test';
import type { Finding } from '../../src/lint/finding.ts';
import { placeOf } from '../../src/lint/place.ts';
import { textReport } from '../../src/lint/text-report.ts';

function report(source: string, marked: string, message = 'is wrong'): string {
  const place = placeOf(source, { offset: source.indexOf(marked), length: marked.length });
  const finding: Finding = {
    ...{
      id: 'L009',
      rule: 'wrong-value',
      severity: 'error',
      file: 'a.conf',
      path: 'mtu',
      message,
      fix: 'mend it',
    },
    page: 'docs/rules/L009.md',
    place,
  };
  return textReport([finding], { files: 1, networks: 1 }, (_, text) => text);
}

test('the caret is under the whole value', () => {
  expect(report('{\n  "mtu": "many"\n}', '"many"')).toBe(
    [
      'a.conf:2:10: error L009 wrong-value: is wrong',
      '      "mtu": "many"',
      '             ^^^^^^',
      '  fix: mend it',
      '',
      '1 file, 1 network: 1 error, 0 warnings',
      '',
    ].join('\n'),
  );
});

test('tabs stay, so that the caret is in its column however wide they are', () => {
  const lines = report('{\n\t\t"mtu":\t5\n}', '5').split('\n');
  expect(lines.slice(1, 3)).toEqual(['    \t\t"mtu":\t5', '    \t\t      \t^']);
});

test('of a very long line there is the part around it', () => {
  const [, shown = '', caret = ''] = report(`{${' '.repeat(5000)}"x": 1${' '.repeat(5000)}}`, '"x"').split(
    '\n',
  );
  expect(shown.length).toBeLessThan(130);
  expect(shown).toMatch(/^ {4}….*"x": 1.*…$/);
  expect(shown.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('"x"');
});

test('a value that goes on over several lines ends with the first', () => {
  const [, , caret] = report('{ "a": [\n1,\n2] }', '[\n1,\n2]').split('\n');
  expect(caret).toBe('           ^');
});

test('what would steer a terminal is shown as a character that does nothing', () => {
  const text = report('{ "a\u001b[2J\u202e\u009b": 1 }', '1', 'of \u001b]0;x\u0007');
  expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  expect(text).toContain('"a\ufffd[2J\ufffd\ufffd": 1');
});

test('nothing found is one line', () => {
  expect(textReport([], { files: 2, networks: 1 }, (_, text) => text)).toBe(
    '2 files, 1 network: nothing found\n',
  );
});
