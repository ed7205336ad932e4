import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const checkout = join(import.meta.dir, '../../..');

/**
 * The places that plugins use when a configuration names none (/run, /var/lib, /var/log, /tmp) as folders of a test's
 * own: commands run in a mount namespace that has them there, so the machine stays as it was. Only for root.
 */
export class Places {
  readonly run: string;
  readonly varLib: string;
  readonly varLog: string;
  readonly tmp: string;

  /** `folder` is the test's own. */
  constructor(folder: string) {
    this.run = join(folder, 'run');
    [this.varLib, this.varLog, this.tmp] = ['var-lib', 'var-log', 'tmp'].map((name) =>
      join(this.run, name),
    ) as [string, string, string];
    for (const place of ['netns', 'checkout', 'flannel', 'var-lib', 'var-log', 'tmp'])
      mkdirSync(join(this.run, place), { recursive: true });
  }

  /** The command there; words that are paths of the checkout are those that it has there. */
  command(...argv: string[]): string[] {
    // The checkout and the folder may lie in /tmp themselves: below /run they can still be reached.
    const script = `set -e
      mount --rbind "$0" "$1/checkout"; mount --rbind /run/netns "$1/netns"; mount --rbind "$1" /run
      mount --bind /run/var-lib /var/lib; mount --bind /run/var-log /var/log; mount --bind /run/tmp /tmp
      shift; exec "$@"`;
    const moved = argv.map((word) => word.replaceAll(`${checkout}/`, '/run/checkout/'));
    return ['unshare', '-m', 'sh', '-c', script, checkout, this.run, ...moved];
  }
}
