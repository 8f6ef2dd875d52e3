package kafka

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/taskwait/taskwait/fakecloud"
)

// instanceRow is an instance as the API shows it (ShowInstance; the SDK's type at v0.1.207 has the same fields).
type instanceRow struct {
	ID string `json:"instance_id"`
	spec
	Status            string         `json:"status"`
	Type              string         `json:"type"`
	Specification     string         `json:"specification"`
	ResourceSpec      string         `json:"resource_spec_code"`
	Charging          int            `json:"charging_mode"` // 1: by use, 0: by the month
	OrderID           string         `json:"order_id,omitempty"`
	UserID            string         `json:"user_id"`
	UserName          string         `json:"user_name"`
	CreatedAt         string         `json:"created_at"` // milliseconds since 1970, in a string
	TotalStorage      int            `json:"total_storage_space"`
	UsedStorage       int            `json:"used_storage_space"`
	StorageResource   string         `json:"storage_resource_id"`
	StorageType       string         `json:"storage_type"`
	ServiceType       string         `json:"service_type"`
	LogicalVolume     bool           `json:"is_logical_volume"`
	Extended          int            `json:"extend_times"`
	Partitions        string         `json:"partition_num"`
	Nodes             int            `json:"node_num"`
	VPCName           string         `json:"vpc_name"`
	SubnetName        string         `json:"subnet_name"`
	SubnetCIDR        string         `json:"subnet_cidr"`
	SecurityGroupName string         `json:"security_group_name"`
	ZoneNames         []string       `json:"available_zone_names"`
	Address           string         `json:"connect_address,omitempty"` // from here to CrossVPC: once it is created
	PrivateAddress    string         `json:"kafka_private_connect_address,omitempty"`
	PodAddress        string         `json:"pod_connect_address,omitempty"`
	Port              int            `json:"port,omitempty"`
	PublicAddress     string         `json:"public_connect_address,omitempty"`
	PortProtocols     map[string]any `json:"port_protocols,omitempty"`
	CrossVPC          string         `json:"cross_vpc_info,omitempty"` // JSON in a string
	IPv6Addresses     []string       `json:"ipv6_connect_addresses"`
	ManagementAddress string         `json:"management_connect_address"`
	PublicBandwidth   int            `json:"public_bandwidth"`
	PublicStatus      string         `json:"kafka_public_status"`
	PublicAccess      string         `json:"public_access_enabled"`
	DiskEncrypted     bool           `json:"disk_encrypted"`
	ConnectorNodes    int            `json:"connector_node_num"`
	ConnectorID       string         `json:"connector_id"`
	BrokerSSL         bool           `json:"broker_ssl_enable"`
	TwoWaySSL         bool           `json:"ssl_two_way_enable"`
	CertReplaced      bool           `json:"cert_replaced"`
	NewCert           bool           `json:"new_auth_cert"`
	DNS               bool           `json:"dns_enable"`
	ACL               bool           `json:"enable_acl"`
	Rest              bool           `json:"rest_enable"`
	RestAddress       string         `json:"rest_connect_address"`
	MessageQuery      bool           `json:"message_query_inst_enable"`
	LogCollection     bool           `json:"enable_log_collection"`
	Trace             bool           `json:"trace_enable"`
	Agent             bool           `json:"agent_enable"`
	NewBilling        bool           `json:"new_spec_billing_enable"`
	Features          string         `json:"support_features"`
	CESVersion        string         `json:"ces_version"`
	DisasterRecovery  bool           `json:"dr_enable"`
}

func (e *exchange) instanceRow(i *instance) instanceRow {
	r := instanceRow{
		ID: i.id, spec: i.spec, Status: i.status(e.Now), Type: "cluster", Charging: 1, UserID: userID, UserName: "fake_user",
		Specification: fmt.Sprintf("%s * %d broker", i.Product, i.Brokers), ResourceSpec: i.Product,
		CreatedAt: strconv.FormatInt(e.Clock(i.createdAt).UnixMilli(), 10), TotalStorage: i.Storage, StorageType: "hec",
		StorageResource: uuid("storage", i.number), ServiceType: "advanced", LogicalVolume: true, Extended: i.extended,
		Partitions: strconv.Itoa(partitionsPerBroker * i.Brokers), Nodes: i.Brokers,
		VPCName: "vpc-fake", SubnetName: "subnet-fake",
		SubnetCIDR: "192.168.0.0/16", SecurityGroupName: "sg-fake", ZoneNames: zoneNames(i.Zones), IPv6Addresses: []string{},
		PublicStatus: strconv.FormatBool(i.PublicIP), PublicAccess: strconv.FormatBool(i.PublicIP),
		DiskEncrypted: i.DiskEncrypted,
		MessageQuery:  true, NewBilling: true, Features: "kafka.crossvpc.domain.enable", CESVersion: "linux,v1,v2",
	}
	if i.Brokers == 1 {
		r.Type = "single"
	}
	if i.Billing.Mode == "prePaid" {
		r.Charging, r.OrderID = 0, fakecloud.HexID("order", i.number)
	}
	if r.Status != creating {
		i.connect(&r)
	}
	return r
}

const partitionsPerBroker = 250 // of c6.2u4g.cluster (User Guide, "Specifications")

// protocol is a way to reach an instance.
type protocol struct {
	name   string
	port   int
	public bool
}

// The protocols that an instance may speak, by the names of plain-ssl-switch, and the port of each.
var protocols = []protocol{
	{"private_plain_enable", 9092, false},
	{"private_sasl_ssl_enable", 9093, false},
	{"private_sasl_plaintext_enable", 9093, false},
	{"public_plain_enable", 9094, true},
	{"public_sasl_ssl_enable", 9095, true},
	{"public_sasl_plaintext_enable", 9095, true},
}

// setPorts enables the protocols that follow from the rest of what was asked, if they were not asked for themselves.
func (i *instance) setPorts() {
	if len(i.PortProtocol) > 0 {
		return
	}
	sasl := "sasl_ssl"
	if i.SecurityProtocol == "SASL_PLAINTEXT" {
		sasl = "sasl_plaintext"
	}
	i.PortProtocol = map[string]bool{
		"private_plain_enable":        !i.SSL || i.VPCClientPlain,
		"private_" + sasl + "_enable": i.SSL,
		"public_plain_enable":         i.PublicIP && !i.SSL,
		"public_" + sasl + "_enable":  i.PublicIP && i.SSL,
	}
}

// switchPublicIP makes the instance reachable from outside, or no more, by the protocols that it has inside.
func (i *instance) switchPublicIP(on bool) {
	i.PublicIP = on
	for _, p := range protocols {
		if p.public {
			i.PortProtocol[p.name] = on && i.PortProtocol[strings.Replace(p.name, "public", "private", 1)]
		}
	}
}

// connect fills in how the instance is reached.
func (i *instance) connect(r *instanceRow) {
	r.Address, r.Port = strings.Join(i.ips(), ","), 9092
	if i.SSL {
		r.Port = 9093
	}
	r.PrivateAddress = addresses(i.ips(), r.Port)
	r.PodAddress = r.PrivateAddress
	r.PortProtocols = map[string]any{}
	for _, p := range protocols {
		ips := i.ips()
		if p.public {
			ips = i.publicAddresses()
		}
		prefix := strings.TrimSuffix(p.name, "enable")
		address := ""
		if i.PortProtocol[p.name] {
			address = addresses(ips, p.port)
		}
		r.PortProtocols[p.name] = i.PortProtocol[p.name]
		r.PortProtocols[prefix+"address"], r.PortProtocols[prefix+"domain_name"] = address, ""
	}
	if i.PublicIP {
		r.PublicAddress = addresses(i.publicAddresses(), r.Port+2)
	}
	r.CrossVPC = i.crossVPC()
}

// ips are those of the brokers: the ones asked for, then made-up ones.
func (i *instance) ips() []string {
	all := make([]string, i.Brokers)
	for n := range all {
		all[n] = fmt.Sprintf("192.168.%d.%d", n/200, 10+n%200)
		if n < len(i.TenantIPs) {
			all[n] = i.TenantIPs[n]
		}
	}
	return all
}

// publicAddresses are one for each broker, from a block that is kept for documentation (RFC 5737), as far as it goes.
func (i *instance) publicAddresses() []string {
	all := make([]string, i.Brokers)
	for n := range all {
		all[n] = fmt.Sprintf("203.0.113.%d", 1+n%254)
	}
	return all
}

func addresses(ips []string, port int) string {
	all := make([]string, len(ips))
	for n, ip := range ips {
		all[n] = ip + ":" + strconv.Itoa(port)
	}
	return strings.Join(all, ",")
}

// crossVPC says by which address each broker is reached from other VPCs.
func (i *instance) crossVPC() string {
	type listener struct {
		Advertised string `json:"advertised_ip"`
		Port       int    `json:"port"`
		PortID     string `json:"port_id"`
	}
	all := map[string]listener{}
	for n, ip := range i.ips() {
		all[ip] = listener{i.advertisedIP(ip), 9011, uuid("port of "+i.id, n)}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // of our own types
	}
	return string(text)
}

func (i *instance) advertisedIP(ip string) string {
	if advertised := i.advertised[ip]; advertised != "" {
		return advertised
	}
	return ip
}

func setConnector(on bool) func(*instance) {
	return func(i *instance) { i.Connector = on }
}
