use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::{Tenant, TenantScope};
use serde::Serialize;

/// How many invoices a tenant may have.
const MAX_INVOICES: usize = 1_000;

/// Issuer and organization together tell tenants apart, which a [`Tenant`] as a key does.
type ByTenant = HashMap<Tenant, Vec<Invoice>>;

/// Every tenant's invoices, in memory: what stands for a database here.
#[derive(Default)]
pub(crate) struct Invoices {
    of: Arc<Mutex<ByTenant>>,
}

/// One tenant's invoices, and no way to another's.
pub(crate) struct TenantInvoices {
    tenant: Tenant,
    of: Arc<Mutex<ByTenant>>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Invoice {
    number: usize,
    organization: String,
    description: String,
}

/// The tenant has as many invoices as it may have.
pub(crate) struct Full;

impl TenantScope for Invoices {
    type Scoped = TenantInvoices;

    fn for_tenant(&self, tenant: &Tenant) -> TenantInvoices {
        TenantInvoices {
            tenant: tenant.clone(),
            of: self.of.clone(),
        }
    }
}

impl TenantInvoices {
    pub(crate) fn list(&self) -> Vec<Invoice> {
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        self.own(&mut all).clone()
    }

    pub(crate) fn add(&self, description: String) -> Result<Invoice, Full> {
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let invoices = self.own(&mut all);
        if invoices.len() == MAX_INVOICES {
            return Err(Full);
        }
        let invoice = self.invoice(invoices.len() + 1, description);
        invoices.push(invoice.clone());
        Ok(invoice)
    }

    /// The tenant's own invoices. There is one to look at from the beginning.
    fn own<'i>(&self, all: &'i mut ByTenant) -> &'i mut Vec<Invoice> {
        all.entry(self.tenant.clone())
            .or_insert_with(|| vec![self.invoice(1, "the first".into())])
    }

    fn invoice(&self, number: usize, description: String) -> Invoice {
        Invoice {
            number,
            organization: self.tenant.id().to_string(),
            description,
        }
    }
}
