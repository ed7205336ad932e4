import { isObject, type JsonObject, parseJson } from '../../../cni/json.ts';
import { type Results, resultsOfCall, resultsOfDelegate } from '../delegate-results.ts';
import type { PageSpan } from '../page-data.ts';
import { element, there } from './element.ts';

/** The lines of the journal that the page holds; each is parsed when somebody looks at it. */
export class Records {
  private readonly text = there('records').textContent ?? '';
  private lines: string[] | undefined;

  of({ record }: PageSpan): JsonObject | undefined {
    if (record === undefined) return undefined;
    this.lines ??= this.text.split('\n');
    try {
      const document = parseJson(this.lines[record] ?? 'null');
      return isObject(document) ? document : undefined;
    } catch {
      // Deeper than our parser goes: it can be read as it stands.
      return undefined;
    }
  }

  /** What the record says of a plugin or hook that ran inside of the call. */
  accountOf(span: PageSpan): JsonObject | undefined {
    const [list, index] = span.account ?? [];
    const entries = list === undefined ? undefined : this.of(span)?.[list];
    const entry = Array.isArray(entries) && index !== undefined ? entries[index] : undefined;
    return isObject(entry) ? entry : undefined;
  }

  resultsOf(span: PageSpan): Results {
    const record = this.of(span);
    if (record === undefined) return { before: undefined, after: undefined };
    if (span.kind === 'plugin') return resultsOfDelegate(record, span.account?.[1] ?? -1);
    return resultsOfCall(record);
  }

  /** The records as a file, byte for byte. */
  save(): void {
    const url = URL.createObjectURL(new Blob([this.text], { type: 'application/x-ndjson' }));
    element('a', { href: url, download: 'cni-debug-records.ndjson' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}
