// Runs one command of a network list where this process is, mostly inside a node made by node.ts.
import { parseConflist } from '../../src/cni/conflist.ts';
import { CniError } from '../../src/cni/error.ts';
import { parseJson, stringifyJson } from '../../src/cni/json.ts';
import { addNetworkList, checkNetworkList, delNetworkList } from '../../src/runtime/network-list.ts';

const [command, conflist = '', runtimeText = '{}'] = process.argv.slice(2);
const list = parseConflist(conflist);
const runtime = parseJson(runtimeText) as never;
try {
  let result = null;
  if (command === 'add') result = await addNetworkList(list, runtime);
  if (command === 'check') await checkNetworkList(list, runtime);
  if (command === 'del') await delNetworkList(list, runtime);
  process.stdout.write(`${stringifyJson(result)}\n`);
} catch (thrown) {
  const { code, message, details } = CniError.from(thrown);
  process.stdout.write(`${JSON.stringify({ code, msg: message, details })}\n`);
}
