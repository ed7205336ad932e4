import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, answered, debug, executable, prevResult, programs, run, Scratch } from '../program.ts';
import { requires } from '../requirements.ts';

const nobody = 65534;

let scratch: Scratch;
beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch.remove());

/**
 * ADD in a mount namespace of its own, where `script` has been run before. A script that mounts something where the
 * checkout may lie (CI clones anywhere, also to /tmp) has to copy "$BIN" and "$KOFFI" first, and to run the copy.
 */
function addAfter(
  script: string,
  keys: Record<string, unknown> = {},
  variables: Record<string, string> = {},
): Promise<Answer> {
  const command = ['unshare', '-m', 'sh', '-c', `set -e\n${script}\nexec "$@"`, 'sh', ...debug];
  const own = { LOG: scratch.log, FOLDER: scratch.folder, ...executable };
  return run(command, {
    environment: scratch.environment('ADD', { ...own, ...variables }),
    stdin: scratch.configuration({ prevResult, ...keys }),
  });
}

describe.if(requires('root'))('a temporary directory', () => {
  // The journal is elsewhere, and so is the program.
  const outside = { cniOutput: false, journal: { path: '/run/journal.ndjson' } };
  const away = 'mount -t tmpfs -o mode=755 tmpfs /run; cp "$BIN" /run\n';
  const runAway = '/run/cni-debug; cat /run/journal.ndjson >&2; exit 0\n';

  test.each([
    ['mounted noexec', 'mount -t tmpfs -o noexec tmpfs /tmp'],
    ['mounted read-only', 'mount -t tmpfs -o ro tmpfs /tmp'],
  ])('%s: the kernel is still read', async (_, script) => {
    const answer = await addAfter(`${away}cp "$KOFFI" /run; ${script}\n${runAway}`, outside);
    expect(answered(answer).ips).toEqual(prevResult.ips);
    const [record = ''] = answer.stderr.split('\n').filter((line) => line.startsWith('{'));
    // What Koffi is needed for was looked at: the namespace is missing, not the library.
    expect(JSON.parse(record).findings).toEqual([
      expect.objectContaining({ message: expect.stringContaining('/run/netns/none') }),
    ]);
    expect(answer.stderr).not.toContain('could not be loaded');
  });

  test('that is missing: the kernel is still read', async () => {
    const script = `mount -t tmpfs tmpfs "$FOLDER"; cd "$FOLDER"; mkdir run x
      for d in usr bin lib lib64 proc; do if [ -e /$d ]; then mkdir $d; mount --rbind /$d $d; fi; done
      cp "$BIN" "$KOFFI" x; chroot . /x/cni-debug; cat run/journal.ndjson >&2; exit 0`;
    const answer = await addAfter(script, outside);
    expect(answered(answer).ips).toEqual(prevResult.ips);
    expect(answer.stderr).toContain('"rule":"namespace-unreadable"');
    expect(answer.stderr).not.toContain('could not be loaded');
  });

  test('noexec, and no koffi.node beside the executable: the call goes on, and says what it could not do', async () => {
    const answer = await addAfter(`${away}mount -t tmpfs -o noexec tmpfs /tmp\n${runAway}`, outside);
    expect(answered(answer).ips).toEqual(prevResult.ips);
    expect(answer.stderr).toContain('"rule":"namespace-unreadable"');
    expect(answer.stderr).toContain('koffi.node could not be loaded');
    expect(answer.stderr).toContain('written, but without a lock');
  });
});

describe.if(requires('root', 'strace'))('the working directory', () => {
  test.each(programs)('%s opens nothing in it, and takes nothing from it', async (_, argv) => {
    const folder = join(scratch.folder, 'cwd');
    mkdirSync(folder);
    writeFileSync(join(folder, '.env'), 'CNI_COMMAND=VERSION\nCNI_ARGS=from-dotenv\n');
    writeFileSync(join(folder, 'bunfig.toml'), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(folder, 'preload.ts'), 'process.exit(9)\n');
    const trace = join(scratch.folder, 'strace');
    const command = ['strace', '-f', '-qq', '-e', 'trace=%file', '-o', trace, ...argv];
    const stdin = scratch.configuration({ prevResult });
    const answer = await run(command, { environment: scratch.environment('ADD'), stdin, cwd: folder });
    expect(answered(answer).ips).toEqual(prevResult.ips);
    const opened = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => /\b(open|openat|openat2)\(/.test(line));
    expect(opened.length).toBeGreaterThan(3);
    const inside = opened.filter((line) => line.includes(folder) || /"(\.\/)?[^/"]+"/.test(line));
    // What Node looks for is not ours to change, but the two files must not be among it.
    expect(argv[0] === 'node' ? inside.filter((line) => /\.env|bunfig/.test(line)) : inside).toEqual([]);
  });
});

describe.if(requires('root'))('a log that root must not write', () => {
  test("another user's file", async () => {
    writeFileSync(scratch.log, 'theirs\n');
    chownSync(scratch.log, nobody, nobody);
    const answer = await scratch.call('ADD', { prevResult });
    expect(answer.status).toBe(0);
    expect(answer.stderr).toContain('belongs to user 65534, not to 0; remove it, or name another file');
    expect(readFileSync(scratch.log, 'utf8')).toBe('theirs\n');
  });

  test("another user's file in a folder that everybody may write, as /tmp", async () => {
    chmodSync(scratch.folder, 0o1777);
    writeFileSync(scratch.log, 'theirs\n');
    chownSync(scratch.log, nobody, nobody);
    const answer = await scratch.call('ADD', { prevResult });
    expect(answer).toMatchObject({ status: 0, stderr: expect.stringContaining('belongs to user 65534') });
    expect(readFileSync(scratch.log, 'utf8')).toBe('theirs\n');
  });

  test.each([
    ['a named pipe that nobody reads', 'mkfifo'],
    ['a device', 'mknod'],
  ])('%s', async (_, tool) => {
    const make = tool === 'mkfifo' ? 'mkfifo "$LOG"' : 'mknod "$LOG" c 1 3';
    const answer = await addAfter(make);
    expect(answered(answer).ips).toEqual(prevResult.ips);
    expect(answer.stderr).toContain(`cni-debug: log ${JSON.stringify(scratch.log)}: is a`);
  });
});

describe.if(requires('root'))('a full disk', () => {
  const fill = 'mount -t tmpfs -o size=64k tmpfs "$FOLDER"\n';

  test('a record that does not fit leaves no part of itself, and the call goes on', async () => {
    // Room for the first bytes of a record, and not for all of them.
    const script = `${fill}head -c 61440 /dev/zero > "$FOLDER/filler"\n"$@"; stat -c "size %s" "$LOG" "$FOLDER/journal.ndjson" >&2; exit 0`;
    const answer = await addAfter(script, { filler: 'x'.repeat(8192) });
    expect(answered(answer).ips).toEqual(prevResult.ips);
    expect(answer.stderr).toContain('No space left on device (ENOSPC)');
    expect(answer.stderr.match(/^size \d+$/gm)).toEqual(['size 0', 'size 0']);
  });

  test('with strictLog it is an error before anything is changed', async () => {
    const script = `${fill}head -c 61440 /dev/zero > "$FOLDER/filler"
      mount -t tmpfs -o mode=755 tmpfs /run; cp "$BIN" "$KOFFI" /run; mkdir /run/marks; /run/cni-debug || :; ls /run/marks >&2; exit 0`;
    const add = (strictLog: boolean) =>
      addAfter(
        script,
        { strictLog, addHooks: [['touch', '/run/marks/changed-by-hook']] },
        { CNI_NETNS: '/proc/self/ns/net' },
      );
    const [strict, lax] = [await add(true), await add(false)];
    expect(answered(strict)).toMatchObject({ code: 5, msg: expect.stringContaining('ENOSPC') });
    expect(strict.stderr).not.toContain('changed-by-hook');
    // So that it is the log that kept the hook from running.
    expect(answered(lax).ips).toEqual(prevResult.ips);
    expect(lax.stderr).toContain('changed-by-hook');
  });
});

describe.if(requires('root'))('as nobody', () => {
  test('a call works as far as it may, and the logs it may not write are said', async () => {
    // The executable has to be where nobody may look.
    const folder = '/run/cni-debug-test-nobody';
    const script = `mount -t tmpfs tmpfs /run; mkdir ${folder}; cp "$BIN" "$KOFFI" ${folder}; chmod 755 ${folder}
      exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups ${folder}/cni-debug`;
    const answer = await addAfter(script);
    expect(answered(answer).ips).toEqual(prevResult.ips);
    expect(answer.stderr).toContain('Permission denied (EACCES)');
    expect(() => statSync(scratch.log)).toThrow();
  });
});
