import { basename, join } from 'node:path';
import { shellWord } from '../../lint/shell-word.ts';
import { type DamagedCache, damagedCaches } from '../facts/cache-damage.ts';
import { removeEmptyCache } from '../mends/empty-caches.ts';
import type { Draft, Rule } from '../rule.ts';
import type { Survey } from '../survey.ts';

export const damagedCache: Rule = {
  id: 'D005',
  name: 'damaged-cache',
  severity: 'error',
  summary: 'A file among the cached attachments is empty, or of another format.',
  meaning:
    'libcni refuses the DEL of the attachment whose file it is, again and again: the pod stays in Terminating',
  *find(survey) {
    const { network } = survey.settings;
    for (const damage of damagedCaches(survey)) {
      // Nothing but its name says whose it is.
      const isMeant = network === undefined || basename(damage.path).startsWith(`${network}-`);
      if (isMeant) yield found(damage, survey);
    }
  },
};

function found({ path, since, size, reason, text }: DamagedCache, survey: Survey): Draft {
  // Not beside it: libcni takes every file there for an attachment.
  const aside = join(survey.settings.cacheDir, `${basename(path)}.damaged`);
  const [from, to] = [shellWord(path), shellWord(aside)];
  const content = text === '' ? [] : [{ source: `head -c 80 ${from}`, text }];
  return {
    object: `file ${path}`,
    cause: size === 0 ? 'has zero bytes where a cached attachment belongs' : withoutPath(reason, path),
    evidence: [
      { source: `ls -l ${from}`, text: `${size} bytes, written ${since.toISOString()}` },
      ...content,
    ],
    since,
    fix: [...(size === 0 ? ['cni-debug doctor --fix'] : []), `mv ${from} ${to}`],
    undo: [`mv ${to} ${from}`],
    ...(size === 0 ? { mend: removeEmptyCache(survey, path) } : {}),
  };
}

/** The object says it already. */
function withoutPath(reason: string, path: string): string {
  return reason.startsWith(`${path} `) ? reason.slice(path.length + 1) : reason;
}
