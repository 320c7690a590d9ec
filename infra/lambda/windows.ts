import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3'
import { parseWindows, WINDOWS_KEY, type Windows } from '../../lifecycle/windows.ts'

/** Undefined before the first apply. Throws on anything that is not such a document. */
export async function readWindows(s3: S3Client, bucket: string): Promise<Windows | undefined> {
  const json = await readObject(s3, bucket, WINDOWS_KEY)
  return json === undefined ? undefined : parseWindows(json)
}

/** Undefined where it is not there. */
export async function readObject(
  s3: S3Client,
  bucket: string,
  key: string,
): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return (await Body?.transformToString()) ?? ''
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw error
  }
}
