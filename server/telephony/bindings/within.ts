/** What a task answers, or a refusal once it takes too long; what it does after that is nobody's answer any more. */
export async function within<T>(ms: number, task: Promise<T>, refuse: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(refuse()), ms);
  });
  // Whichever loses has nobody left to tell.
  task.catch(() => undefined);
  late.catch(() => undefined);
  try {
    return await Promise.race([task, late]);
  } finally {
    clearTimeout(timer);
  }
}
