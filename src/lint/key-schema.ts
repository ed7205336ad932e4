/** What Go's decoder takes for a value. `null` is good for all of them. */
export type Schema =
  | { readonly kind: 'string' | 'boolean' | 'integer' | 'unsigned' | 'anything' }
  | { readonly kind: 'list'; readonly items: Schema }
  /** A Go map: any key, in exact case. */
  | { readonly kind: 'map'; readonly values: Schema }
  /** A Go struct: these keys, in any case. */
  | Struct
  | { readonly kind: 'either'; readonly schemas: readonly Schema[] };

export interface Struct {
  readonly kind: 'struct';
  readonly keys: Keys;
}

export type Keys = Readonly<Record<string, Schema>>;

export const string: Schema = { kind: 'string' };
export const boolean: Schema = { kind: 'boolean' };
/** Of any of Go's types for whole numbers: `1500`, and neither `1500.0` nor `"1500"`. */
export const integer: Schema = { kind: 'integer' };
/** The same, and not below 0. */
export const unsigned: Schema = { kind: 'unsigned' };
export const anything: Schema = { kind: 'anything' };

export function list(items: Schema): Schema {
  return { kind: 'list', items };
}

export function map(values: Schema): Schema {
  return { kind: 'map', values };
}

export function struct(keys: Keys): Struct {
  return { kind: 'struct', keys };
}

export function either(...schemas: readonly Schema[]): Schema {
  return { kind: 'either', schemas };
}

/** In messages: `an integer`. */
export function schemaName(schema: Schema): string {
  switch (schema.kind) {
    case 'string':
      return 'a string';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return 'an integer';
    case 'unsigned':
      return 'an integer that is not negative';
    case 'anything':
      return 'anything';
    case 'list':
      return 'a list';
    case 'map':
    case 'struct':
      return 'an object';
    case 'either':
      return schema.schemas.map(schemaName).join(' or ');
  }
}
