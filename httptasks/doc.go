// Package httptasks waits for the jobs of any HTTP API that answers with JSON. The API is described as data:
//
//	source, err := httptasks.New(http.DefaultClient, httptasks.API{
//		URL:       "https://api.example.com/v1/operations/{id}",
//		ID:        "name",
//		Status:    "status",
//		Percent:   "metadata.progress",
//		Reason:    "error.message",
//		Executing: []string{"queued", "running"},
//		Success:   []string{"done"},
//		Failed:    []string{"error"},
//	}, httptasks.WithHeader("Authorization", "Bearer "+token))
//	waiter, err := taskwait.New(source)
//	task, err := waiter.WaitForTask(ctx, id)
//
// # Places
//
// A place says where in an answer something stands: the names of fields with dots between them, as in
// "metadata.progress". Alternatives are separated by |; the first that is there, and neither null nor "", counts.
//
// A place in a task begins at the task, see [API.Task]; one that begins with a dot, as ".request_id", begins at the
// top of the answer. Where a list stands on the way, a number takes the element with that index, as in "errors.0.code",
// "[name=value]" the first element with that value, as in "conditions[status=True].type", and a name the first element
// that has the rest of the place.
//
// "@status" is the HTTP status of the answer, as a word: for APIs that say 202 while a job runs and 200 at its end.
//
// # Reading
//
// Reading is lenient. A number may stand for a text and a text for a number; what is missing, or cannot be made out,
// is unknown. A time is RFC 3339, with or without colon or zone (then UTC), with a space or T, as Go prints it, or
// seconds or milliseconds since 1970. A percentage is "60%", 60, "60" or 0.6. Words are compared without regard to
// case. A word that is in no list is passed on as the task's status, and is neither success nor failure.
package httptasks
