/** What the page of a recorded person is made of: the SDK and its records, as one script. */
export * from '../../client-sdk/index.ts';
export { openRecords } from '../../client-sdk/records/index.ts';
