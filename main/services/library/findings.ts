/** What is wrong with a library, and what could be done about it. */
export interface Finding {
  /**
   * `database`: SQLite says so. `missing`: a row whose file is gone. `damaged`: a file that is not what its name says. `stray`: a
   * file that no row knows. `leftover`: what a crash left behind. `thumbnail`: a small copy that can be made again.
   */
  readonly kind: 'database' | 'missing' | 'damaged' | 'stray' | 'leftover' | 'thumbnail'
  /** Inside the library folder, with forward slashes; empty for the database itself. */
  readonly file: string
  readonly message: string
}
