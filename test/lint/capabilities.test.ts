import { expect, test } from 'bun:test';
import { texts } from './rule-cases.ts';
import { look } from './site.ts';

const { list, bridge, portmap } = texts;
const bare = '{ "type": "portmap" }';
const ports = '"capabilities": { "portMappings": true }';
const wrapping = (keys: string, ...delegates: string[]) =>
  `{ "type": "debug"${keys}, "delegate": [${delegates.join(', ')}] }`;

test.each<[string, string, string[]]>([
  ['portmap', list(bridge(), bare), ['L016 plugins[1].type']],
  [
    'portmap that says false',
    list(bridge(), '{ "type": "portmap", "capabilities": { "portMappings": false } }'),
    ['L016 plugins[1].capabilities'],
  ],
  [
    'portmap whose ports are written down',
    list(bridge(), '{ "type": "portmap", "runtimeConfig": { "portMappings": [] } }'),
    [],
  ],
  ['bandwidth without limits', list(bridge(), '{ "type": "bandwidth" }'), ['L016 plugins[1].type']],
  [
    'bandwidth with its own',
    list(bridge(), '{ "type": "bandwidth", "ingressRate": 1, "ingressBurst": 1 }'),
    [],
  ],
  [
    'a delegate whose debug declares nothing',
    list(wrapping('', bridge(), portmap)),
    ['L016 plugins[0].type'],
  ],
  ['a delegate whose debug declares it', list(wrapping(`, ${ports}`, bridge(), portmap)), []],
  ['a delegate that gets all that debug gets', list(wrapping(`, ${ports}`, bridge(), bare)), []],
  [
    'a delegate that declares another',
    list(wrapping(`, ${ports}`, bridge(), '{ "type": "portmap", "capabilities": { "mac": true } }')),
    ['L016 plugins[0].capabilities', 'L016 plugins[0].delegate[1].capabilities'],
  ],
  [
    'a wrong case',
    list(bridge(), '{ "type": "portmap", "capabilities": { "portmappings": true } }'),
    ['L016 plugins[1].capabilities', 'L017 plugins[1].capabilities.portmappings'],
  ],
])('%s', async (_, text, expected) => {
  const { findings } = await look({ files: { '10-net.conflist': text } });
  expect(findings.map(({ id, path }) => `${id} ${path}`).sort()).toEqual(expected);
});
