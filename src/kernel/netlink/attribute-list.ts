import { attributeValue, forEachAttribute } from './attribute.ts';

/**
 * The values of attributes that are a list: the same type again and again, as NFTA_LIST_ELEM is, where `Attributes`
 * keeps the last one only. Throws MalformedMessageError.
 */
export function attributeList(bytes: Buffer, type: number): Buffer[] {
  const values: Buffer[] = [];
  forEachAttribute(bytes, (found, offset) => {
    if (found === type) values.push(attributeValue(bytes, offset));
  });
  return values;
}
