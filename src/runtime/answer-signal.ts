/** A signal that came while the kernel was at work is seen only when this process looks. Rejects with its reason. */
export async function answerSignal(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
