import { version as kernelBuild, release } from 'node:os';
import { type Json, type JsonObject, newObject } from '../cni/json.ts';
import { type FoundPlugin, surveyPlugins } from '../lint/plugin-survey.ts';
import { runProcess } from '../runtime/run-process.ts';

const timeoutMs = 5000;
/** Whose version matters to a maintainer, where they are installed. */
const runtimes = ['containerd', 'crio', 'runc', 'crun', 'kubelet', 'podman', 'nerdctl'];

/** What runs on this node: cni-debug, each plugin by what it answers VERSION, the kernel, the runtimes that are there. */
export async function versionsOf(
  own: string,
  types: readonly string[],
  pluginPath: string,
): Promise<JsonObject> {
  const survey = await surveyPlugins(types, pluginPath, []);
  const plugins = await Promise.all(
    [...survey].map(async ([type, found]) => [type, await describe(found)] as const),
  );
  const found = await Promise.all(
    runtimes.map(async (name) => [name, await firstLine(name, ['--version'])] as const),
  );
  return newObject([
    ['cniDebug', own],
    ['kernel', `${release()} ${kernelBuild()}`],
    ['pluginPath', pluginPath],
    ['plugins', newObject(plugins)],
    [
      'runtimes',
      newObject(found.flatMap(([name, line]) => (line === undefined ? [] : [[name, line] as const]))),
    ],
  ]);
}

async function describe(found: FoundPlugin): Promise<Json> {
  if (found.kind === 'missing') return newObject([['problem', found.complaint]]);
  const { path, stats } = found;
  const file: [string, Json][] = [
    ['path', path],
    ['size', stats.size],
    ['changed', stats.mtime.toISOString()],
  ];
  if (found.kind === 'broken') return newObject([...file, ['problem', found.complaint]]);
  if (found.kind !== 'sound') return newObject([...file, ['problem', `is ${found.kind}`]]);
  // Called by hand, most plugins say on stderr which release they are.
  const about = await firstLine(path, []);
  return newObject([
    ...file,
    ['versions', [...found.versions]],
    ...(about === undefined ? [] : [['about', about] as const]),
  ]);
}

/** Undefined where there is no such program, or it says nothing. */
async function firstLine(command: string, args: readonly string[]): Promise<string | undefined> {
  const { stdout, stderr, failedToStart } = await runProcess({
    ...{ command, args, environment: { PATH: process.env.PATH }, timeoutMs },
  });
  if (failedToStart !== undefined) return undefined;
  const text = `${stdout.bytes.toString('utf8')}\n${stderr.bytes.toString('utf8')}`;
  return text.split('\n').find((line) => line.trim() !== '');
}
