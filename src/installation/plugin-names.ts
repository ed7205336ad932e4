/** The executable, to which all the other names are links. */
export const executableName = 'cni-debug';
/** The library that it loads from its own folder. */
export const libraryName = 'koffi.node';

/** Why a plugin cannot be called so, as the end of a sentence; undefined when it can. */
export function nameComplaint(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name === executableName || name === libraryName) return 'is the name of a file that is copied';
  if (!/^[\w-][\w.+-]*$/.test(name)) return 'is not a file name of letters, digits, "_", "-", "." and "+"';
  if (name.length > 200) return 'is longer than 200 characters';
  return /\.cni-debug-[a-z]+(?:-\d+)?$/.test(name) ? 'is what a backup is called' : undefined;
}
