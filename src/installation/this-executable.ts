import { programPath } from '../runtime/this-program.ts';
import { contentOfBytes, contentOfFile } from './content.ts';
import type { Program } from './install.ts';
import { Refusal } from './refusal.ts';

/**
 * This executable, and the library inside it: that is the one it was built with, whatever lies beside it and whoever
 * put that there. Throws Refusal under Node, which a node may not have.
 */
export async function thisProgram(): Promise<Program> {
  if (programPath() !== process.execPath)
    throw new Refusal(`${programPath()} runs under Node, and a plugin must run without it`, [
      'build the executable with "npm run build", and run dist/cni-debug install',
    ]);
  // Also when the file was replaced or removed since we began.
  const path = '/proc/self/exe';
  const bytes = await embeddedLibrary();
  const library = { bytes, content: contentOfBytes(bytes) };
  return { path, content: await contentOfFile(path), library };
}

async function embeddedLibrary(): Promise<Uint8Array> {
  // Without a loader for it there is one name for all architectures: koffi-<hash>.node.
  const file = Bun.embeddedFiles.find((blob) => /^koffi.*\.node$/.test((blob as File).name));
  if (file === undefined)
    throw new Error('this executable has no koffi.node in it: it was not built by "npm run build"');
  return new Uint8Array(await file.arrayBuffer());
}
