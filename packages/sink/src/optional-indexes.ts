/** Sets of indexes that serve queries and cost writes: nobody has to have them. */
export interface OptionalIndexes {
  /** By name, what each set serves. */
  readonly sets: Readonly<Record<string, string>>;
  /** Beside running writes; what is there stays as it is. @throws SinkError */
  make(sets: readonly string[]): Promise<MadeIndexes>;
  /** What a migration left out because the tables were large. @throws SinkError */
  makeMissing(): Promise<MadeIndexes>;
}

export interface MadeIndexes {
  readonly made: readonly string[];
  readonly there: readonly string[];
}
