/** What the page of a person in a call with a telephone is made of: the SDK, its records and its phone, as one script. */
export * from '../../client-sdk/index.ts';
export { openPhone } from '../../client-sdk/phone/index.ts';
export { openRecords } from '../../client-sdk/records/index.ts';
