import type { Rule } from 'eslint';
import { type Finding, findingsAt, streamsOf } from './findings.ts';
import { rewritingOf } from './suggestion.ts';
import type { Of } from './syntax.ts';

export interface RuleText {
  readonly description: string;
  /** What a finding is told; nothing where the rule does not apply to it. */
  say(finding: Finding): string | undefined;
}

/** A rule over the native operators on streams: what it says of which. */
export function nativeRule({ description, say }: RuleText): Rule.RuleModule {
  return {
    meta: {
      type: 'problem',
      docs: { description, recommended: true },
      schema: [],
      hasSuggestions: true,
      messages: {
        native: '{{what}} Instead, {{advice}}.',
        rewrite: "Use `{{operator}}` of tidemark/operators, with the name '{{name}}': its state keeps that for life.",
      },
    },
    create(context) {
      const streams = streamsOf(context.sourceCode);
      const reported = new Set<object>(); // a composite may stand in several chains
      return {
        CallExpression(call) {
          for (const finding of findingsAt(streams, call as unknown as Of<'CallExpression'>)) {
            const what = say(finding);
            if (what === undefined || reported.has(finding.node)) continue;
            reported.add(finding.node);
            const rewriting = rewritingOf(context.sourceCode, streams, finding);
            context.report({
              node: finding.node as unknown as Rule.Node,
              messageId: 'native',
              data: { what, advice: finding.replacement.advice },
              suggest: rewriting
                ? [
                    {
                      messageId: 'rewrite',
                      data: { operator: rewriting.operator, name: rewriting.name },
                      fix: fixer => rewriting.fix(fixer),
                    },
                  ]
                : [],
            });
          }
        },
      };
    },
  };
}
