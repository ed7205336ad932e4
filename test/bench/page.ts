// How long `trace --html` takes to write a page of so many calls, and a browser to open it:
//   npm run build && npx bun test/bench/page.ts [CALLS...]
import { statSync } from 'node:fs';
import { Browser } from '../cli/page/browser.ts';
import { PageFolder, shopLines } from '../cli/page/page-journal.ts';

const counts = process.argv.slice(2).map(Number);

/** A chain that was called again and again, for one container after the other. */
function linesOf(calls: number): string[] {
  const of = (round: number) =>
    shopLines.map((line) => {
      const record = JSON.parse(line);
      record.id = `${round.toString(16).padStart(12, '0')}${record.id.slice(12)}`;
      record.attachment.containerID = `${round}-${record.attachment.containerID}`;
      record.startedAt = new Date(Date.parse(record.startedAt) + round * 10_000).toISOString();
      return JSON.stringify(record);
    });
  return Array.from({ length: Math.ceil(calls / shopLines.length) }, (_, round) => of(round)).flat();
}

for (const calls of counts.length > 0 ? counts : [100, 2000, 5000]) {
  using pages = new PageFolder(linesOf(calls));
  const before = performance.now();
  const file = await pages.page('all');
  const written = performance.now() - before;
  await using browser = await Browser.start();
  const { page } = await browser.open(file);
  const opened = await page.evaluate(`performance.getEntriesByType('navigation')[0].domComplete`);
  const step = await page.evaluate(`(async () => {
    const begin = performance.now();
    document.querySelector('[role=treeitem][aria-selected=true]').focus();
    for (const key of ['n', 'p', 'n', 'p'])
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    await new Promise(requestAnimationFrame);
    return (performance.now() - begin) / 4;
  })()`);
  const megabytes = (statSync(file).size / 2 ** 20).toFixed(1);
  console.log(
    `${calls} records: written in ${written.toFixed(0)} ms, ${megabytes} MB; opened in ${Number(opened).toFixed(0)} ms; to the next operation ${Number(step).toFixed(0)} ms`,
  );
}
