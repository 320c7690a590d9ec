/** On a record whose hand-over was recorded and whose digests were verified: a bucket's rule may expire it. */
export const HANDED_OVER_TAG = { key: 'wharfinger:handed-over', value: 'verified' } as const
