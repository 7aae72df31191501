import { OperationAnswer } from "../../constructs/broker/operation";
import { askBrokers } from "../app";
import { noteLines, show } from "../report";
import { confirmed, isAttended } from "../terminal";

export interface IssueOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Lists what is to be issued and why, and issues it. */
export async function issue(stack: string, options: IssueOptions): Promise<number> {
  const { dryRun = false, yes = false, json = false } = options;
  const plan = askBrokers({ name: "plan", stack });
  const toIssue = plan.flatMap(({ missing = [], due = [] }) => [...missing, ...due]);
  const failed = plan.some(({ error }) => error !== undefined);
  if (dryRun || failed || toIssue.length === 0) return show(plan, json, planLines);
  if (!json) show(plan, false, planLines);
  if (!yes && isAttended() && !(await confirmed(`Issue these ${toIssue.length}?`))) {
    process.stderr.write("Nothing was issued.\n");
    return 1;
  }
  return show(askBrokers({ name: "issue", stack }), json, ({ issued = [] }) => [`issued: ${issued.length}`]);
}

function planLines({ missing = [], due = [], warnings = [] }: OperationAnswer): readonly string[] {
  const lines = [
    ...noteLines("to be issued, because it is missing:", missing),
    ...noteLines("to be issued, because it is due:", due),
  ];
  return [...(lines.length > 0 ? lines : ["nothing to issue"]), ...warnings];
}
