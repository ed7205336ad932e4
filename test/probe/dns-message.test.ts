import { expect, test } from 'bun:test';
import { answersQuestion, encodeRootQuestion, responseCode } from '../../src/probe/dns-message.ts';

test('the question for the name servers of the root', () => {
  const question = encodeRootQuestion();
  expect(question.subarray(2).toString('hex')).toBe('010000010000000000000000020001');
});

test('an answer has the same identifier, and says that it is one', () => {
  const question = encodeRootQuestion();
  const answer = Buffer.from(question);
  expect(answersQuestion(question, answer)).toBe(false);
  answer.writeUInt16BE(0x8185, 2);
  expect(answersQuestion(question, answer)).toBe(true);
  expect(responseCode(answer)).toBe('REFUSED');
  answer.writeUInt16BE(question.readUInt16BE(0) ^ 1, 0);
  expect(answersQuestion(question, answer)).toBe(false);
  expect(answersQuestion(question, question.subarray(0, 4))).toBe(false);
});
