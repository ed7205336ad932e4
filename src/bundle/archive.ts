import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import type { BundleFile } from './contents.ts';

/** All files are in it, so that unpacking one makes no mess. */
const folder = 'cni-debug-bundle';

/** The files as a `.tar.gz`. */
export async function archiveOf(
  files: readonly Pick<BundleFile, 'name' | 'text'>[],
  mtime: Date,
): Promise<Buffer> {
  const owner = { mode: 0o600, uid: 0, gid: 0, uname: 'root', gname: 'root', mtime };
  const tar = await packTar(
    files.map(({ name, text }) => {
      const body = Buffer.from(text);
      return { header: { name: `${folder}/${name}`, size: body.length, type: 'file', ...owner }, body };
    }),
  );
  return gzipSync(tar);
}
