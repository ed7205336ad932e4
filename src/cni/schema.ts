import * as z from 'zod/mini';
import { CniError, ErrorCode } from './error.ts';
import { isObject, type Json, type JsonObject, newObject } from './json.ts';
import { lookUp, withSpelling } from './keys.ts';
import { firstOf, keyPath, type Parsed, type Problem, problemWith } from './problem.ts';

// Compiling a schema to code costs more than the one document a process reads.
z.config({ jitless: true });

type Shape = Record<string, z.ZodMiniType>;
type Struct<S extends Shape> = z.infer<z.ZodMiniObject<S, z.core.$strip>> & JsonObject;

/**
 * A Go struct: known keys in any spelling, `null` as good as absent, each value as its own schema says;
 * keys that are not known stay in the output as they came.
 */
export function struct<S extends Shape>(shape: S): z.ZodMiniType<Struct<S>> {
  const names = Object.keys(shape);
  const known = z.object(shape);
  return z.transform((input: unknown, context) => {
    if (!isObject(input)) {
      context.issues.push({ code: 'custom', message: 'is not an object', input });
      return z.NEVER;
    }
    const spelled = withSpelling(input, names);
    for (const name of names) if (spelled[name] === null) delete spelled[name];
    const parsed = known.safeParse(spelled);
    if (!parsed.success) {
      return passOn(parsed.error, context, input);
    }
    const output = newObject(Object.entries(spelled));
    for (const [name, value] of Object.entries(parsed.data)) output[name] = value as Json;
    return output as Struct<S>;
  }) as unknown as z.ZodMiniType<Struct<S>>;
}

/** What a schema inside another one finds wrong. */
function passOn(error: z.core.$ZodError, context: z.core.ParsePayload, input: unknown): never {
  for (const issue of error.issues) context.issues.push({ ...issue, input } as z.core.$ZodRawIssue);
  return z.NEVER;
}

/** A string for which `holds`; `otherwise` ends the sentence `path: "value" ...`. */
export function text(holds: (value: string) => boolean, otherwise: string) {
  return z.string().check(z.refine(holds, { error: otherwise }));
}

/** What `schema` accepts, but as it came, in the spelling it came with. */
export function unread<T extends JsonObject>(schema: z.ZodMiniType<T>): z.ZodMiniType<JsonObject> {
  return z.transform((input: unknown, context) => {
    const parsed = schema.safeParse(input);
    return parsed.success ? (input as JsonObject) : passOn(parsed.error, context, input);
  }) as unknown as z.ZodMiniType<JsonObject>;
}

/** `at` is the document's own path. */
export function parse<T>(schema: z.ZodMiniType<T>, document: Json, at = ''): Parsed<T> {
  const { success, data, error } = schema.safeParse(document);
  if (success) return { value: data, problems: [] };
  return { problems: firstOf(error.issues, (issue) => problem(issue, document, at), at) };
}

/** The document as the schema reads it. Throws code 7 with its problems, one after the other. */
export function read<T>(schema: z.ZodMiniType<T>, document: Json, at = ''): T {
  const parsed = parse(schema, document, at);
  if ('value' in parsed) return parsed.value;
  const found = parsed.problems.map(({ message }) => message);
  throw new CniError(ErrorCode.invalidConfiguration, found.join('; '));
}

function problem(issue: z.core.$ZodIssue, document: Json, at: string): Problem {
  const path = issue.path.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : keyPath(path, String(key))),
    at,
  );
  return problemWith(path, valueAt(document, issue.path), complaint(issue));
}

function complaint(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  const article = /^[aeiou]/.test(issue.expected) ? 'an' : 'a';
  return `is not ${article} ${issue.expected}`;
}

function valueAt(document: Json, path: readonly PropertyKey[]): Json | undefined {
  let value: Json | undefined = document;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isObject(value)) value = lookUp(value, String(key));
    else return undefined;
  }
  return value;
}
