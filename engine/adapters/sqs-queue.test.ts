import { startSqsServer } from '../../fixtures/servers/sqs-server.ts'
import { describeSqsContract } from './sqs.contract.ts'

const server = await startSqsServer()
describeSqsContract('SQS', server.endpoint, () => server.close())
