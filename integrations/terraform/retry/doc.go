// Package retry is a drop-in for helper/retry of github.com/hashicorp/terraform-plugin-sdk/v2: the same fields,
// functions and error types, on the engine of taskwait. To change the import is all.
//
// What differs: a Refresh that fails in a way that may pass, such as with a 502 or a throttle, does not end the wait;
// Refresh is called once more when Timeout has passed; and one that hangs is left behind 5 s later. The README of the
// module has a table of all differences.
//
// # Errors of Refresh
//
// In an error, and in what it wraps, an HTTP status is looked for: a [taskwait.QueryError], a method StatusCode,
// GetStatusCode or HTTPStatusCode, a field StatusCode, or a field Actual beside Body. So golangsdk, gophercloud,
// huaweicloud-sdk-go-v3, azcore and the SDK of AWS are understood, and none of them is imported. The status means what
// it does to [taskwait.CheckResponse], and Retry-After is honoured where the error shows the headers:
//
//   - a throttle never ends the wait before Timeout;
//   - 5xx, 408, 409, 421, 423, 425, 499, a lost connection and a timeout on the network are borne for 5 min;
//   - 404 is borne for 1 min, and so are 401 and 403 once Refresh has been good;
//   - any other error ends the wait at once, and so does one that shows no status.
//
// The error that ends the wait is returned as Refresh gave it.
package retry
