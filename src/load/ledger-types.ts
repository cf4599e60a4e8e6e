export type { LedgerSummary, LoadProgress } from '../core/ledger.js';
