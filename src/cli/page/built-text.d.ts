/** What the build has made for a page of its script and its style, as text: dist/page. */
declare module '*.txt' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: it is how both bundlers hand over a text.
  export default text;
}
