/** What a page of a test has of the SDK: both entries, as one script. */
export * from '@teleconsult/client-sdk';
export * from '@teleconsult/client-sdk/records';
