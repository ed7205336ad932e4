import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { requires } from '../../requirements.ts';
import { Browser, expectQuiet, selected, selectedSpan } from './browser.ts';
import { contrastsBelow } from './contrast.ts';
import { evilLines, PageFolder, shopLines } from './page-journal.ts';

const failing = 'a000000000000002';

describe.if(requires('chromium'))('in a browser', () => {
  test('opens on the failed call, with what is wrong on top, and asks for nothing', async () => {
    using pages = new PageFolder(shopLines);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page());
    const { page } = watched;
    expect(await page.title()).toBe('eth0 of shop/checkout-7d9f6b - cni-debug trace');
    expect(await selectedSpan(watched)).toBe(failing);
    expect(await page.textContent('.notices')).toContain(
      '1 call failed, 1 finding✕error 999: tuning: failed to set "eth0" mtu to 1400: operation not permitted',
    );
    expect(await page.textContent('.detail .error')).toStartWith('error 999: tuning: failed');
    expect(await page.textContent('main .head')).toContain('2026-11-20 13:00:00.000 +01:00');
    expect(await page.textContent('.axis')).toContain('13:00:00.000 – 13:00:00.190UTC+01:00, 190 ms');
    expect(await page.textContent('.operations [aria-current]')).toContain('ADD13:00:00190 ms');
    expect(await page.locator('noscript').isVisible()).toBe(false);
    expectQuiet(watched);
  });

  test('the network is closed to it, whatever it would try', async () => {
    using pages = new PageFolder(shopLines);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page());
    const tried = await watched.page.evaluate(`(async () => {
      const blocked = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => blocked.push(effectiveDirective));
      await fetch('http://127.0.0.1:9/').catch(() => {});
      const add = (name, attributes) => document.body.append(Object.assign(document.createElement(name), attributes));
      add('img', { src: 'http://127.0.0.1:9/' });
      add('script', { src: 'http://127.0.0.1:9/' });
      add('script', { textContent: 'document.title = "ran"' });
      add('link', { rel: 'stylesheet', href: 'http://127.0.0.1:9/' });
      add('iframe', { src: 'http://127.0.0.1:9/' });
      await new Promise((done) => setTimeout(done, 300));
      return { blocked: [...new Set(blocked)].sort(), title: document.title };
    })()`);
    expect(tried).toEqual({
      blocked: ['connect-src', 'frame-src', 'img-src', 'script-src-elem', 'style-src-elem'],
      title: 'eth0 of shop/checkout-7d9f6b - cni-debug trace',
    });
  });

  test('an address names a span, also one that is put away with other small steps', async () => {
    using pages = new PageFolder(shopLines);
    await using browser = await Browser.start();
    const file = await pages.page();
    const watched = await browser.open(file, '#span=a000000000000006');
    expect(await selectedSpan(watched)).toBe('a000000000000006');
    expect(await watched.page.textContent('.operations [aria-current]')).toContain('10.22.0.6/16');
    const small = /"id":"([0-9a-f]{16})","kind":"kernel","name":"set net\/ipv4\/ip_forward to 1"/.exec(
      readFileSync(file, 'utf8'),
    )?.[1];
    await watched.page.evaluate(`location.hash = '#span=${small}'`);
    await watched.page.waitForSelector(`${selected}[data-span="${small}"]`);
    expect(await watched.page.textContent('.detail h3')).toContain('set net/ipv4/ip_forward to 1');
    await watched.page.click('.notices button >> nth=0');
    expect(watched.page.url()).toEndWith(`#span=${failing}`);
    const nowhere = await browser.open(file, '#span=%E0%A4%A');
    expect(await selectedSpan(nowhere)).toBe(failing);
    expectQuiet(watched);
    expectQuiet(nowhere);
  });

  test('everything is done by keyboard', async () => {
    using pages = new PageFolder(shopLines);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page());
    const { page } = watched;
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () =>
      page.evaluate(`document.activeElement.getAttribute('aria-label') ?? document.activeElement.id`);
    const rows = () => page.locator('[role=treeitem]').count();
    await press('Escape');
    expect(await focused()).toContain('call debug, 128 ms, on the critical path, failed: error 999');
    const all = await rows();
    await press('ArrowLeft');
    expect(await rows()).toBe(all - 3);
    expect(await page.getAttribute(selected, 'aria-expanded')).toBe('false');
    await press('ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowDown');
    expect(await rows()).toBe(all);
    expect(await focused()).toContain('plugin tuning, 118 ms');
    expect(await page.textContent('.detail .path')).toBe('ADD › debug › ');
    await press('ArrowLeft', 'Home');
    expect(await focused()).toContain('call debug, 44.6 ms');
    // Where another call failed, it is closed.
    expect(await page.getAttribute(selected, 'aria-expanded')).toBe('false');
    await press('End');
    expect(await focused()).toContain('plugin tuning');
    await press('Enter');
    expect(await focused()).toBe('the selected span');
    await press('Escape', 'n');
    expect(await page.textContent('main .head')).toContain('DEL2026-11-20 13:00:00.214 +01:00');
    await press('p', 'Home', 'e');
    expect(await selectedSpan(watched)).toBe(failing);
    await press('/');
    expect(await focused()).toBe('filter spans and operations');
    await page.keyboard.type('lease -');
    expect(await page.inputValue('#filter')).toBe('lease -');
    await press('Escape');
    expect(await page.inputValue('#filter')).toBe('');
    // A run of small steps opens, too.
    await press('Home', 'ArrowRight');
    const opened = await rows();
    await page.locator('.row.fold').first().focus();
    await press('Enter');
    expect(await rows()).toBe(opened + 3);
    // And Tab reaches whatever can be done.
    const reached = new Set<unknown>();
    await page.evaluate(`document.activeElement.blur()`);
    for (let at = 0; at < 60; at += 1) {
      await press('Tab');
      reached.add(await focused());
    }
    for (const name of ['filter spans and operations', 'plugin', 'failed', 'the whole operation ( 0 )'])
      expect(reached).toContain(name);
    expectQuiet(watched);
  });

  test('zooms by key, button, wheel and drag, and shows all again', async () => {
    using pages = new PageFolder(shopLines);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page());
    const { page } = watched;
    const shown = async () => (await page.textContent('.axis .zone'))?.replace(/^UTC\S+, /, '');
    const whole = '190 ms';
    expect(await shown()).toBe(whole);
    await page.keyboard.press('+');
    expect(await shown()).toBe('95.2 ms of 190 ms');
    await page.keyboard.press('Shift+ArrowRight');
    expect(await page.textContent('.axis .clock')).toBe('13:00:00.066 – 13:00:00.161');
    await page.keyboard.press('-');
    expect(await shown()).toBe(whole);
    await page.click('[aria-label="zoom in ( + )"]');
    await page.keyboard.press('0');
    expect(await shown()).toBe(whole);
    const box = await page.locator('.ticks').boundingBox();
    if (box === null) throw new Error('the axis is not there');
    const at = (part: number) => [box.x + box.width * part, box.y + 8] as const;
    await page.mouse.move(...at(0.25));
    await page.mouse.down();
    await page.mouse.move(...at(0.5), { steps: 4 });
    await page.mouse.up();
    expect(await shown()).toBe('47.6 ms of 190 ms');
    expect(await selectedSpan(watched)).toBe(failing);
    const width = await page.evaluate(
      `parseFloat(document.querySelector('[data-span=${failing}] .bar').style.width)`,
    );
    // The call is 128 ms long and begins in the middle of what is shown.
    expect(width).toBeGreaterThan(150);
    await page.mouse.dblclick(...at(0.5));
    expect(await shown()).toBe(whole);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -100);
    await page.keyboard.up('Control');
    await page.waitForFunction(`document.querySelector('.axis .zone').textContent.includes(' of ')`);
    expectQuiet(watched);
  });

  test('shows only what fits the filter, with what it is part of', async () => {
    using pages = new PageFolder(shopLines);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page());
    const { page } = watched;
    const names = () => page.locator('[role=treeitem] .text').allTextContents();
    await page.fill('#filter', 'ROUTE 10.22');
    expect(await names()).toEqual([
      'debug',
      'bridge',
      'add route 0.0.0.0/0 via 10.22.0.1 dev "eth0"',
      'portmap',
      'find the route to 10.22.0.5',
    ]);
    expect(await page.textContent('.counted')).toBe('5 spans fit.');
    await page.selectOption('#plugin', 'portmap');
    expect(await names()).toEqual(['debug', 'portmap', 'find the route to 10.22.0.5']);
    await page.fill('#filter', 'nothing is called so');
    expect(await page.textContent('.counted')).toBe('Nothing here fits the filter.');
    expect(await page.locator('.operations li:visible').count()).toBe(1);
    await page.fill('#filter', '');
    await page.selectOption('#plugin', '');
    await page.check('#failed');
    expect(await names()).toEqual(['debug', 'tuning']);
    expectQuiet(watched);
  });

  test('marks what a plugin made of prevResult, and shows what a process said', async () => {
    using pages = new PageFolder(shopLines);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page(), '#span=a000000000000006');
    const { page } = watched;
    const tree = page.locator('.detail h4:text("From prevResult to result") + .tree');
    expect(await tree.locator('.changed').allTextContents()).toEqual(['~mtu: 1500 → 1400']);
    expect(await tree.locator('.added > summary').allTextContents()).toEqual(['+1 {2}', '+dns {1}']);
    await page.click('[data-node]:has-text("tuning")');
    expect(await page.textContent('.detail h3')).toBe('plugintuning');
    await page.click('.notices button >> nth=0');
    await page.click('.row:has-text("tuning")');
    expect(await page.textContent('.detail h4:text("stderr") + pre')).toBe(
      'tuning: netlink: operation not permitted\n',
    );
    expectQuiet(watched);
  });

  test.each(['light', 'dark'] as const)(
    'is %s as the system is, and can be the other',
    async (colorScheme) => {
      using pages = new PageFolder(shopLines);
      await using browser = await Browser.start({ colorScheme });
      const watched = await browser.open(await pages.page());
      const { page } = watched;
      const ground = () => page.evaluate(`getComputedStyle(document.body).backgroundColor`);
      const [light, dark] = ['rgb(244, 246, 248)', 'rgb(15, 20, 26)'];
      expect(await ground()).toBe(colorScheme === 'light' ? light : dark);
      await page.click('#theme');
      expect(await ground()).toBe(colorScheme === 'light' ? dark : light);
      expect(await page.evaluate(contrastsBelow(4.5))).toEqual([]);
      await page.click('#theme');
      expect(await page.evaluate(contrastsBelow(4.5))).toEqual([]);
      expectQuiet(watched);
    },
  );

  test('saves the records as the journal has them', async () => {
    using pages = new PageFolder([...shopLines, ...evilLines]);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page('all'));
    const [download] = await Promise.all([
      watched.page.waitForEvent('download'),
      watched.page.click('#save'),
    ]);
    expect(download.suggestedFilename()).toBe('cni-debug-records.ndjson');
    const saved = readFileSync(await download.path(), 'utf8');
    expect(saved.trimEnd().split('\n').sort()).toEqual([...shopLines, ...evilLines].sort());
    expect(watched.complaints).toEqual([]);
  });

  test('a pod may have any name: nothing of it runs, and all of it is shown', async () => {
    using pages = new PageFolder([...shopLines, ...evilLines]);
    await using browser = await Browser.start();
    const watched = await browser.open(await pages.page('all'), '#span=e000000000000001');
    const { page } = watched;
    const shown =
      '</script><script>alert(1)</script>--><img src=x onerror=alert(2)>\\u2028\\u0000\\u202e"\'&';
    expect(await selectedSpan(watched)).toBe('e000000000000001');
    expect(await page.textContent('main .whose')).toContain(`${shown}/${shown}`);
    expect(await page.textContent('.chain')).toContain(shown);
    const details = page.locator('.detail details:not([open]) > summary');
    // What is inside of one is drawn a moment after it opens, and then there are more of them.
    const opened = page.locator('.detail', { hasText: 'big: 9007199254740993' });
    while ((await details.count()) > 0 || (await opened.count()) === 0)
      if ((await details.count()) > 0) await details.first().click();
    expect(await page.textContent('.detail')).toContain('big: 9007199254740993');
    expect(await page.textContent('.detail')).toContain('exact: 1.0');
    for (const row of await page.locator('[role=treeitem]').all()) await row.click();
    expect(await page.locator('script').count()).toBe(2);
    expect(await page.locator('img').count()).toBe(0);
    expectQuiet(watched);
  });

  test('without scripts there is a table, with links from what failed', async () => {
    using pages = new PageFolder([...shopLines, ...evilLines]);
    await using browser = await Browser.start({ javaScriptEnabled: false });
    const watched = await browser.open(await pages.page('all'));
    const { page } = watched;
    expect(await page.locator('noscript table').count()).toBe(6);
    expect(await page.locator('noscript table').first().isVisible()).toBe(true);
    expect(await page.locator(`#row-${failing}`).textContent()).toContain('error 999: tuning');
    expect(await page.locator('noscript li a').first().getAttribute('href')).toBe(`#row-${failing}`);
    expect(await page.locator('#app').isVisible()).toBe(false);
    await page.locator('.records summary').click();
    expect((await page.locator('#records').textContent())?.trimEnd().split('\n')).toHaveLength(
      shopLines.length + evilLines.length,
    );
    expect(await page.locator('img').count()).toBe(0);
    expectQuiet(watched);
  });

  test('fits a narrow window', async () => {
    using pages = new PageFolder([...shopLines, ...evilLines]);
    await using browser = await Browser.start({ viewport: { width: 400, height: 800 } });
    const watched = await browser.open(await pages.page('all'));
    expect(await watched.page.evaluate('document.documentElement.scrollWidth')).toBe(400);
    expectQuiet(watched);
  });
});
