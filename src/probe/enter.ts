/** What a command is put behind, to be run in a container's network namespace: `nsenter --net=/run/netns/web `. */
export function enter({ netns }: { readonly netns: string }): string {
  return `nsenter --net=${/^[\w@%+=:,./-]+$/.test(netns) ? netns : `'${netns.replaceAll("'", "'\\''")}'`} `;
}
