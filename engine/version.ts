/** As in package.json (a test compares them). */
export const ENGINE_VERSION = '0.1.0'

/** Raised whenever a finding code, a verdict rule or a check changes what a report says. */
export const RULE_SET_VERSION = '2026.11.1'
