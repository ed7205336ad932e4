/** Whether a runtime loads a file of that name: by the extensions that libcni looks for. */
export function isLoaded(name: string): boolean {
  return ['.conf', '.conflist', '.json'].includes(extensionOf(name));
}

/** As Go's `filepath.Ext`: `.conf` has one, too, which Node takes for a name without. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}
