package httptasks

// API describes the jobs of an HTTP API as data. URL, a way to the status (Status or Done), and the words of success
// are required; the rest may be zero. To describe a similar API, copy the value and change the copy.
type API struct {
	// Name is the name of the API in messages, such as "ecs"; empty: "httptasks".
	Name string

	// URL is that of a job. {id} stands for the id of the job, escaped; {+id} for an id that is a path, with slashes
	// and query, or a whole URL, which must have the same scheme and host. Other placeholders are in Vars. The scheme
	// and the host come before the first placeholder. A URL without {id} shows several jobs: Task is then the place of
	// a list, in which the job is found by ID, or else on the further pages of List. With [NewFrom] a URL may be a
	// path alone.
	URL string

	// Method is that of the request; empty: GET, or POST if there is a Body.
	Method string

	// Body is the JSON that is sent; {id} and Vars may stand in a JSON string of it. Empty: nothing is sent.
	Body string

	// Vars are the values of further placeholders in URLs and bodies, such as "instance_id". Each is checked like an
	// id.
	Vars map[string]string

	// Permission is what the request needs, for the text of a 403; empty: not known.
	Permission string

	// RequestID is the header for an id of each request, such as "Client-Request-Id": a new UUID is sent. Empty: there
	// is none.
	RequestID string

	// Task is the place of the job in the answer: an object, or a list, which is searched by ID. The following places
	// begin there. Empty: the answer is the job.
	Task string

	ID        string // the job's id; empty: the answer has none, and is taken for the job that was asked for
	Status    string // its status, a word of the lists below
	Kind      string // its kind, such as "createServer"; empty: unknown, as for all that follow
	Percent   string // how much is done: "60%", 60, "60", 0.6; 1 is 1 %
	Remaining string // the service's estimate, in seconds
	Code      string // why it failed: the service's code
	Reason    string // and its words; of an object, such as that of an "error", its JSON
	CreatedAt string // when it was created or begun
	UpdatedAt string // when it changed last, or ended

	// Fraction says that Percent is a fraction: 1 is 100 %.
	Fraction bool

	// Steps is the place of the list of the parts of the job. They are read like the job: their names by Kind, else by
	// ID, their times by CreatedAt and UpdatedAt. If the job has no Code and Reason, those of a part that failed are
	// taken.
	Steps string

	// Done is the place of a flag that is true when the job is over, as in Google's long-running operations (AIP-151).
	// The job has failed if Code or Reason ("error.message|error") is there, else it has succeeded. While the flag is
	// false, or missing from an answer with an ID, Status is read. A job without a status is EXECUTING.
	Done string

	// FailedByCode says that a job with a word of Success has failed if its Code or Reason is there.
	FailedByCode bool

	// The service's words for each status. A word may be in one list only. A word in none is neither success nor
	// failure.
	Created   []string // accepted, not begun
	Executing []string
	Success   []string
	Failed    []string
	Cancelled []string
	Deleted   []string // the job's record was removed

	// NotFound are the codes, or HTTP statuses such as "404", of an error that says that there is no such job. A 404
	// with a code in its body always says so.
	NotFound []string

	// Throttled are the codes of errors that are a throttle, whatever their HTTP status.
	Throttled []string

	// List is the request that lists jobs, and makes the Source a Lister; nil: there is none.
	List *List

	// Details is a separate request for the progress of a running job; nil: there is none. Its fields for the request
	// count, and Task, ID, Percent, Remaining, Fraction, Steps, and the places of the steps.
	Details *API

	// Cancel is the request that cancels a job; nil: jobs cannot be cancelled.
	Cancel *Request

	untilDeleted bool
}

// Request is a request. The placeholders are those of [API].
type Request struct {
	Method     string // empty: GET, or POST if there is a Body
	URL        string
	Body       string // JSON; empty: nothing is sent
	Permission string // that it needs, for the text of a 403; empty: not known
	RequestID  Header // set from [API.RequestID]
	Changes    bool   // it changes something, and must not be sent twice; set by [Source.Cancel]
}

// Header is a header of a request; the zero value: there is none.
type Header struct{ Name, Value string }

// List is a request that lists jobs, a page at a time. Each row is read like the job. At most one of Offset, Marker,
// Page and Next says how to go on. With none of them there is one page.
type List struct {
	URL string // its query has the parameters that are the same for each page

	// Rows is the place of the rows in the answer; empty: the answer is the list.
	Rows string

	Total string // the place of the number of all rows; empty: the service does not count them

	Limit string // the query parameter for the number of rows on a page; empty: there is none
	Size  int    // its value, the most that the service allows

	Offset string // the query parameter for the number of rows before the page
	First  int    // what Offset, or Page, begins with: 0, or 1
	Page   string // the query parameter for the number of the page
	Marker string // the query parameter for where to go on: the value at Next, or the ID of the last row

	// Next is the place of the marker of the next page, or, if Marker is empty, of its URL, which must have the same
	// scheme and host.
	Next string

	// Since is the query parameter for the time since which jobs are listed; empty: there is none. The time that is
	// sent is a day early, for services that do not document in which zone they read it.
	Since       string
	SinceLayout string // as for time.Format, in UTC; "unix": seconds, "unixmilli": milliseconds. Empty: RFC 3339

	Permission string // that it needs, for the text of a 403; empty: not known
}

// UntilDeleted returns the API for a wait until the resource with the id is gone. SUCCESS means that the service does
// not know it, or that its status is a word in Deleted. Every other status is EXECUTING, also that of a failure,
// because a deletion may begin there.
//
// A service gives the same answer for a resource that never existed.
func (a API) UntilDeleted() API {
	a.untilDeleted = true
	return a
}

// With returns the API with the value of a placeholder, in place of the one before. a does not change.
func (a API) With(name, value string) API {
	vars := make(map[string]string, len(a.Vars)+1)
	for k, v := range a.Vars {
		vars[k] = v
	}
	vars[name] = value
	a.Vars = vars
	return a
}

// Check returns an error that Is [taskwait.ErrInvalidOption] and names the field if the description cannot be right: no
// URL, a place that cannot be read, a word in two lists. Nothing is sent.
func (a API) Check() error {
	_, err := compile(a)
	return err
}
