/** Which accounts of the tables have a handle to be looked up. */
export interface HandleList {
  /**
   * DIDs above `after`, in their order: accounts that are active and whose handle nobody has checked, and those of which no answer was had a day
   * ago or earlier. @throws SinkError
   */
  next(after: string, limit: number): Promise<readonly string[]>;
}
