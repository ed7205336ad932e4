// Makes docs/trace-light.png and docs/trace-dark.png anew:
//   npm run build && npx bun test/cli/page/screenshots.ts [FOLDER]
import { join } from 'node:path';
import { Browser } from './browser.ts';
import { PageFolder, shopLines } from './page-journal.ts';

const folder = process.argv[2] ?? join(import.meta.dir, '..', '..', '..', 'docs');

using pages = new PageFolder(shopLines);
const file = await pages.page();
for (const colorScheme of ['light', 'dark'] as const) {
  await using browser = await Browser.start({ colorScheme, viewport: { width: 1440, height: 1080 } });
  const { page } = await browser.open(file);
  await page.screenshot({ path: join(folder, `trace-${colorScheme}.png`) });
}
