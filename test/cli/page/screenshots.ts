// Makes docs/trace-light.png and docs/trace-dark.png anew:
//   npm run build && npx bun test/cli/page/screenshots.ts [FOLDER]
import { join } from 'node:path';
import { Browser } from './browser.ts';
import { PageFolder, shopLines } from './page-journal.ts';

const folder = process.argv[2] ?? join(import.meta.dir, '..', '..', '..', 'docs');

// IDs as there are in life: of the tests' only the last digit is another.
const ids = [
  '5e2a91c07d3b4f18',
  'c81f06b2e94a7d35',
  '19d7e3a5f2084bc6',
  '73b0c4d9168ea52f',
  'a64e2f91b7053dc8',
  '0fc85b7d3e92a614',
];
const lines = shopLines.map((line) => line.replace(/a0{14}([1-6])/g, (_, number) => ids[number - 1] ?? ''));
using pages = new PageFolder(lines);
const file = await pages.page();
for (const colorScheme of ['light', 'dark'] as const) {
  await using browser = await Browser.start({ colorScheme, viewport: { width: 1440, height: 1030 } });
  const { page } = await browser.open(file);
  await page.screenshot({ path: join(folder, `trace-${colorScheme}.png`) });
}
