// Package retry is a drop-in for helper/retry of github.com/hashicorp/terraform-plugin-sdk/v2: the same fields,
// functions and error types, on the engine of taskwait. Only the import changes.
//
// It differs in three ways. An error of Refresh that may pass, such as a 502 or a throttle, does not end the wait.
// Refresh is called once more when Timeout has passed. A call of Refresh that hangs is abandoned 5 s later. The README
// of the module has a table of all differences.
//
// # Errors of Refresh
//
// The package looks for an HTTP status in the error, and in the errors that it wraps: a [taskwait.QueryError], a method
// StatusCode, GetStatusCode or HTTPStatusCode, a field StatusCode, or a field Actual beside Body. So it understands
// golangsdk, gophercloud, huaweicloud-sdk-go-v3, azcore and the SDK of AWS, and imports none of them. The status means
// the same as for [taskwait.CheckResponse]. Retry-After is honoured if the error shows the headers.
//
//   - A throttle never ends the wait before Timeout.
//   - 5xx, 408, 409, 421, 423, 425, 499, a lost connection and a timeout on the network are tolerated for 5 min.
//   - 404 is tolerated for 1 min, and so are 401 and 403 after a call of Refresh that succeeded.
//   - Any other error ends the wait at once, and so does an error that shows no status.
//
// The error that ends the wait is returned as Refresh gave it.
package retry
