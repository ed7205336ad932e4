import { read, readSync } from 'node:fs';
import { type Duplex, Readable } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { withSystemError } from '../kernel/system-error.ts';
import type { JournalFile } from './journal-files.ts';

/** Whole lines of a file; only its last one may lack its line break. The bytes change when the next block is asked for. */
export interface Block {
  readonly bytes: Buffer;
  /** Where it begins: bytes from the beginning of what the file holds, uncompressed. */
  readonly start: number;
}

/** A file that cannot be decompressed, or not to its end. */
export class CompressedFileError extends Error {
  override readonly name = 'CompressedFileError';
}

/** What is read at once: larger pieces are no faster, and do not fit into the processor's cache. */
const pieceSize = 1024 * 1024;

/** No record is as long; what is has no end in sight, and is not kept. */
const longestLine = 16 * 1024 * 1024;

/** Oldest first, from a byte on that begins a line. Throws SystemError and CompressedFileError. */
export async function* blocksOf(file: JournalFile, from = 0): AsyncGenerator<Block> {
  if (file.compression === undefined && !file.isPipe) {
    yield* blocksOfPlain(file, from);
    return;
  }
  const lines = new LineBuffer();
  for await (const piece of file.isPipe ? piped(file) : decompressed(file)) {
    for (let at = 0; at < piece.length; ) {
      const room = lines.room();
      const count = piece.copy(room, 0, at);
      at += count;
      const block = lines.filled(count);
      if (block !== undefined) yield* behind(block, from);
    }
  }
  const block = lines.rest();
  if (block !== undefined) yield* behind(block, from);
}

/** The last block first; the lines in it stand as in the file. Only for what is neither compressed nor a pipe. */
export function* blocksFromEnd(file: Pick<JournalFile, 'path' | 'fd' | 'size'>): Generator<Block> {
  let buffer = Buffer.allocUnsafe(Math.min(pieceSize, file.size));
  for (let end = file.size; end > 0; ) {
    const start = Math.max(0, end - buffer.length);
    const count = readAt(file, buffer.subarray(0, end - start), start);
    const first = start === 0 ? 0 : buffer.subarray(0, count).indexOf(10) + 1;
    const isWithin = start === 0 || (first > 0 && first < count);
    if (isWithin) {
      yield { bytes: buffer.subarray(first, count), start: start + first };
      end = start === 0 ? 0 : start + first;
    } else if (buffer.length < longestLine) {
      buffer = Buffer.allocUnsafe(buffer.length * 2);
    } else {
      // The end of a line that nobody keeps.
      end = start;
    }
  }
}

function* blocksOfPlain(file: JournalFile, from: number): Generator<Block> {
  const lines = new LineBuffer(from);
  for (let position = from; position < file.size; ) {
    const room = lines.room();
    const count = readAt(file, room.subarray(0, Math.min(room.length, file.size - position)), position);
    // It was cut while we read.
    if (count === 0) break;
    position += count;
    const block = lines.filled(count);
    if (block !== undefined) yield block;
  }
  const block = lines.rest();
  if (block !== undefined) yield block;
}

function readAt({ fd, path }: Pick<JournalFile, 'path' | 'fd'>, into: Buffer, position: number): number {
  return withSystemError('read', path, () => readSync(fd, into, 0, into.length, position));
}

/** Collects pieces to whole lines, in one buffer that is used again and again. */
class LineBuffer {
  #buffer = Buffer.allocUnsafe(pieceSize);
  #length = 0;
  /** Of the buffer's first byte that has not been handed out, and the same in the file. */
  #start = 0;
  #position: number;

  constructor(position = 0) {
    this.#position = position;
  }

  /** Where the next bytes go. */
  room(): Buffer {
    this.#buffer.copyWithin(0, this.#start, this.#length);
    this.#length -= this.#start;
    this.#start = 0;
    if (this.#length === this.#buffer.length) this.#grow();
    return this.#buffer.subarray(this.#length);
  }

  /** So many have come. */
  filled(count: number): Block | undefined {
    this.#length += count;
    const end = this.#buffer.lastIndexOf(10, this.#length - 1) + 1;
    return end > 0 ? this.#take(end) : undefined;
  }

  /** What has no line break. */
  rest(): Block | undefined {
    return this.#length > this.#start ? this.#take(this.#length) : undefined;
  }

  #take(end: number): Block {
    const block = { bytes: this.#buffer.subarray(this.#start, end), start: this.#position };
    this.#position += end - this.#start;
    this.#start = end;
    return block;
  }

  #grow(): void {
    if (this.#buffer.length < longestLine) {
      const larger = Buffer.allocUnsafe(this.#buffer.length * 2);
      this.#buffer.copy(larger);
      this.#buffer = larger;
    } else {
      // What is left of the line will be no record.
      this.#position += this.#length;
      this.#length = 0;
    }
  }
}

/** The part of a block that is not before `from`. */
function* behind({ bytes, start }: Block, from: number): Generator<Block> {
  if (start >= from) yield { bytes, start };
  else if (start + bytes.length > from) yield { bytes: bytes.subarray(from - start), start: from };
}

async function* decompressed(file: JournalFile): AsyncGenerator<Buffer> {
  const decompressor = decompressorFor(file);
  const source = Readable.from(rawPieces(file));
  source.on('error', (error) => decompressor.destroy(error));
  try {
    yield* source.pipe(decompressor);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CompressedFileError(`${file.path}: ${file.compression}: ${reason}`, { cause: error });
  } finally {
    source.destroy();
    decompressor.destroy();
  }
}

function decompressorFor({ path, compression }: JournalFile): Duplex {
  if (compression === 'gzip') return zlib.createGunzip();
  // Node 20 has none, and so have its types.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Duplex };
  if (createZstdDecompress !== undefined) return createZstdDecompress();
  throw new CompressedFileError(
    `${path}: this program cannot read zstd: try zstdcat ${path} | cni-debug logs -`,
  );
}

function* rawPieces(file: JournalFile): Generator<Buffer> {
  for (let position = 0; position < file.size; ) {
    // Not one buffer for all: the stream keeps some for later.
    const piece = Buffer.allocUnsafe(Math.min(65536, file.size - position));
    const count = readAt(file, piece, position);
    if (count === 0) return;
    position += count;
    yield piece.subarray(0, count);
  }
}

const readSome = promisify(read);

async function* piped({ fd }: JournalFile): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(65536);
  for (;;) {
    try {
      const { bytesRead } = await readSome(fd, buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    } catch (error) {
      // Whoever started us may have left it non-blocking.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
