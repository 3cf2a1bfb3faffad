/** One mail as the page and the tests read it. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** RFC 3339, when it came in. */
  readonly at: string;
}

export const mailsMax = 200;

/** The last 200 mails, newest first; older ones are forgotten. */
export class Mails {
  #mails: Mail[] = [];

  add(mail: Mail): void {
    this.#mails = [mail, ...this.#mails].slice(0, mailsMax);
  }

  /** All of them, or those to one address (compared as mail servers do, ignoring case). */
  list(to?: string): readonly Mail[] {
    const wanted = to?.toLowerCase();
    return this.#mails.filter((mail) => wanted === undefined || mail.to.toLowerCase() === wanted);
  }
}
