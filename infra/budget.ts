import { Stack } from 'aws-cdk-lib'
import { CfnBudget } from 'aws-cdk-lib/aws-budgets'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Topic } from 'aws-cdk-lib/aws-sns'

/** Tells `topic` when the month's bill of this stack is forecast to pass the limit, and when it has. */
export function watchBudget(topic: Topic, monthlyUsd: number, costTag: string): void {
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Budgets',
      principals: [new ServicePrincipal('budgets.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(topic).account } },
    }),
  )
  const subscribers = [{ subscriptionType: 'SNS', address: topic.topicArn }]
  const notify = (notificationType: 'FORECASTED' | 'ACTUAL') => ({
    notification: {
      notificationType,
      comparisonOperator: 'GREATER_THAN',
      threshold: 100,
      thresholdType: 'PERCENTAGE',
    },
    subscribers,
  })
  new CfnBudget(topic, 'MonthlyBudget', {
    budget: {
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: monthlyUsd, unit: 'USD' },
      // Counts once the tag is activated for cost allocation: docs/howto/deploy.md says where.
      costFilters: { TagKeyValue: [`user:service$${costTag}`] },
    },
    notificationsWithSubscribers: [notify('FORECASTED'), notify('ACTUAL')],
  })
}
