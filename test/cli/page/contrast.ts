/** A script that finds texts that are hard to read on what is behind them (WCAG 2.2, 1.4.3). */
export function contrastsBelow(least: number): string {
  return `(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = ([r, g, b, a], below) => [r, g, b].map((part, at) => part * a / 255 + below[at] * (1 - a / 255));
    const groundOf = (node) => {
      if (node === null) return [255, 255, 255];
      const colour = rgba(getComputedStyle(node).backgroundColor);
      return colour[3] === 255 ? colour : over(colour, groundOf(node.parentElement));
    };
    const light = (colour) => {
      const [r, g, b] = colour.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const low = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode.parentElement;
      if (texts.currentNode.data.trim() === '' || node.closest('script, noscript, option') || !node.checkVisibility()) continue;
      const ground = groundOf(node);
      const [one, other] = [light(over(rgba(getComputedStyle(node).color), ground)), light(ground)].sort((a, b) => b - a);
      const contrast = (one + 0.05) / (other + 0.05);
      if (contrast < ${least}) low.add(node.className + ': ' + texts.currentNode.data + ' ' + contrast.toFixed(2));
    }
    return [...low];
  })()`;
}
