/** Answers that were worked out before, by their question. */
export class Answers {
  private readonly known = new Map<string, unknown>();

  /** What `answer` throws is not kept. */
  once<T>(question: string, answer: () => T): T {
    if (!this.known.has(question)) this.known.set(question, answer());
    return this.known.get(question) as T;
  }
}
